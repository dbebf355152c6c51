"""Who gave a command: the kernel says it, over a real socket, whatever the caller writes."""

import asyncio
import json
import os
import pwd
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from daemon.api.peer import actor_of
from daemon.api.server import Switch, serve_control

NOBODY = 65534
NAMELESS = 54321


async def whoever(request: Request) -> JSONResponse:
    return JSONResponse({"actor": actor_of(request, (await request.json()).get("actor"))})


@pytest.fixture
def path() -> Iterator[Path]:
    """A socket that other users can reach: the folders of pytest are closed to them."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        yield Path(folder) / "control.sock"


def ask_as(uid: int | None, path: Path, claimed: str) -> str:
    """The actor that the server sees when a process of user `uid` claims to be `claimed`."""
    reading, writing = os.pipe()
    if os.fork() == 0:
        try:
            if uid is not None:
                os.setuid(uid)
            body = json.dumps({"actor": claimed})
            with socket.socket(socket.AF_UNIX) as end:
                end.settimeout(10)
                end.connect(str(path))
                head = f"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {len(body)}"
                end.sendall(f"{head}\r\n\r\n{body}".encode())
                while data := end.recv(4096):
                    os.write(writing, data)
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as answer:
        return str(json.loads(answer.read().rpartition(b"\r\n\r\n")[2])["actor"])


def asked(uid: int | None, path: Path, claimed: str) -> str:
    return asyncio.run(_asked(uid, path, claimed))


async def _asked(uid: int | None, path: Path, claimed: str) -> str:
    async with serve_control(path, Switch(Starlette(routes=[Route("/", whoever, methods=["POST"])]))):
        path.chmod(0o666)
        return await asyncio.to_thread(ask_as, uid, path, claimed)


def test_root_may_name_the_person_behind_sudo_and_nobody_else_may(path: Path) -> None:
    assert asked(None, path, "ann") == ("ann" if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name)


def test_who_names_nobody_is_himself(path: Path) -> None:
    assert asked(None, path, "") == pwd.getpwuid(os.getuid()).pw_name


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
@pytest.mark.parametrize(("uid", "actor"), [(NOBODY, "nobody"), (NAMELESS, f"uid {NAMELESS}")])
def test_another_user_cannot_pass_for_somebody_else(path: Path, uid: int, actor: str) -> None:
    assert asked(uid, path, "ann") == actor
