"""Tell systemd how things stand: one datagram a message, nothing when nobody listens (scheduler.md 6)."""

import os
import socket


def notify(*messages: str) -> None:
    """Send messages such as READY=1 to the manager, if there is one."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        try:
            channel.sendto("\n".join(messages).encode(), address)
        except OSError:
            return  # the manager is gone; that is its business


def watchdog_period_s() -> float | None:
    """Half of the time within which the manager wants to hear from us, or None."""
    microseconds = os.environ.get("WATCHDOG_USEC")
    mine = os.environ.get("WATCHDOG_PID") in (None, str(os.getpid()))
    return int(microseconds) / 2_000_000 if microseconds and mine else None
