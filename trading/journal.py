"""Native journal entries: one datagram an event, so that `journalctl TRADINGD_PROCESS=run_systems` finds its lines.

Used only when standard error is the journal's own stream; without it, or when the journal does not take an entry, the
lines go to standard error as ever. Format: systemd.io/JOURNAL_NATIVE_PROTOCOL; without libsystemd.
"""

import array
import errno
import json
import os
import socket
import struct
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, TextIO

STREAM_VARIABLE: Final = "JOURNAL_STREAM"  # systemd names device and inode of its stream here
SOCKET: Final = Path("/run/systemd/journal/socket")
PRIORITIES: Final = {"critical": 2, "error": 3, "exception": 3, "warning": 4, "info": 6, "debug": 7}
_TOO_LARGE: Final = (errno.EMSGSIZE, errno.ENOBUFS)
_OF_THE_LINE: Final = ("event", "level", "timestamp", "exception")
FIELDS: Final = {"process": "TRADINGD_PROCESS", "run": "TRADINGD_RUN", "slot": "TRADINGD_SLOT"}


def connected_to_journal(stream: str | None, handle: int = 2) -> bool:
    """Whether `handle` is the stream that `stream` (device:inode) names: not once it was redirected elsewhere."""
    try:
        found = os.fstat(handle)
    except OSError:
        return False
    return stream == f"{found.st_dev}:{found.st_ino}"


def entry(event: Mapping[str, Any]) -> dict[str, str]:
    """The fields of `event`, which carries its name, its level and the keys of its line."""
    keys = {key: value for key, value in event.items() if key not in _OF_THE_LINE}
    name, level = str(event.get("event", "")), str(event.get("level", "info"))
    line = " ".join([name, *(f"{key}={value if isinstance(value, str) else _text(value)}"
                             for key, value in keys.items())])
    trace = f"\n{event['exception']}" if event.get("exception") else ""
    known = {field: str(keys[key]) for key, field in FIELDS.items() if keys.get(key) is not None}
    return {"MESSAGE": line + trace, "PRIORITY": str(PRIORITIES.get(level, 6)), "SYSLOG_IDENTIFIER": "tradingd",
            "TRADINGD_EVENT": name, **known}


def encoded(fields: Mapping[str, str]) -> bytes:
    """One datagram; a value with line breaks in the binary form, so that it cannot pretend to be further fields."""
    parts = []
    for name, value in fields.items():
        content = value.encode(errors="replace")
        if b"\n" in content:
            parts.append(name.encode() + b"\n" + struct.pack("<Q", len(content)) + content)
        else:
            parts.append(name.encode() + b"=" + content)
    return b"\n".join(parts) + b"\n"


class Journal:
    """Writes entries to the journal's socket; what it does not take goes to `errors`, by default standard error."""

    def __init__(self, address: Path = SOCKET, errors: TextIO | None = None) -> None:
        self._address, self._errors = str(address), errors
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK)

    def write(self, event: Mapping[str, Any]) -> None:
        """Write `event`; what the journal does not take is read as a plain line."""
        fields = entry(event)
        datagram = encoded(fields)
        try:
            self._socket.sendto(datagram, self._address)
        except OSError as error:
            if error.errno not in _TOO_LARGE or not self._send_by_handle(datagram):
                (self._errors or sys.stderr).write(
                    f"<{fields['PRIORITY']}>{fields['MESSAGE']} journal={error.strerror!r}\n")

    def _send_by_handle(self, datagram: bytes) -> bool:
        """Larger than a datagram may be: the journal reads it from a sealed memory file; whether it was taken."""
        import fcntl

        handle = os.memfd_create("tradingd-journal", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        try:
            os.write(handle, datagram)
            fcntl.fcntl(handle, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE
                        | fcntl.F_SEAL_SEAL)
            rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [handle]))
            self._socket.sendmsg([], [rights], 0, self._address)
        except OSError:
            return False
        finally:
            os.close(handle)
        return True


def _text(value: object) -> str:
    return json.dumps(value, default=str)
