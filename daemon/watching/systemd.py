"""Tell systemd how things stand: one datagram a message, nothing when nobody listens (scheduler.md 6)."""

import os
import socket
from typing import Final

_PATIENCE_S: Final = 0.2  # a manager that is busy gets so long; the event loop has more to do than to wait for it


def notify(*messages: str) -> None:
    """Send messages such as READY=1 in one datagram to the manager, if there is one; each is one line for it."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    lines = "\n".join(message.replace("\n", " ") for message in messages)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
        channel.settimeout(_PATIENCE_S)
        try:
            channel.connect(address)
            channel.send(lines.encode(errors="replace"))
        except OSError:
            return  # the manager is gone, or does not listen; that is its business


def watchdog_period_s() -> float | None:
    """Half of the time within which the manager wants to hear from us, or None."""
    microseconds = os.environ.get("WATCHDOG_USEC")
    mine = os.environ.get("WATCHDOG_PID") in (None, str(os.getpid()))
    return int(microseconds) / 2_000_000 if microseconds and mine else None
