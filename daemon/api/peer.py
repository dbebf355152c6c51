"""Who is at the other end of the control socket: the kernel's word, not the caller's.

Everybody in the group of the socket may give commands, so a name that the caller writes himself proves nothing; the
audit trail wants the user whom the kernel saw connecting (SO_PEERCRED, scheduler.md 8). Only root may name somebody
else, because that is what sudo does.
"""

import asyncio
import pwd
import socket
import struct
from typing import Any, Final

from starlette.requests import Request
from uvicorn.protocols.http.h11_impl import H11Protocol

_CREDENTIALS: Final = struct.Struct("3i")  # pid, uid, gid
_UID: Final = "uid "


class PeerProtocol(H11Protocol):
    """HTTP whose client is a user: `scope["client"]` is ("uid 1000", pid) on a Unix socket."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        end: Any = transport.get_extra_info("socket")
        if end is not None and end.family == socket.AF_UNIX:
            pid, uid, _ = _CREDENTIALS.unpack(end.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size))
            self.client = (f"{_UID}{uid}", pid)


def actor_of(request: Request, claimed: object) -> str:
    """The user behind `request`.

    `claimed`, what its body says, is believed from root, and where the kernel says nothing.
    """
    host = str(request.client.host) if request.client else ""
    if not host.startswith(_UID):
        return str(claimed or "somebody")
    uid = int(host.removeprefix(_UID))
    if uid == 0 and claimed:
        return str(claimed)
    try:
        return str(pwd.getpwuid(uid).pw_name)
    except KeyError:
        return host
