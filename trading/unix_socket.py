"""HTTP over a Unix socket, for workers and tradectl. Standard library only: it is quick to import."""

import http.client
import json
import os
import socket
from pathlib import Path
from typing import Any, Final

from trading.errors import TradingError

_LONGEST_PATH: Final = 100  # the kernel allows 107 bytes


class DaemonUnreachable(TradingError):
    """Nobody serves the control socket, or nobody answers there (`silent`: it hangs, or is only slow)."""

    def __init__(self, message: str, silent: bool = False) -> None:
        super().__init__(message)
        self.silent = silent


class DaemonForbidden(TradingError):
    """The control socket is there, but not for this user."""


class DaemonRefused(TradingError):
    """The daemon answered, and the answer is no."""

    def __init__(self, message: str, status: int, kind: str) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind


def request(path: Path, method: str, resource: str, body: object = None, timeout_s: float = 30.0) -> Any:
    """The JSON answer of the daemon behind the socket `path`.

    Raises:
        DaemonUnreachable: it does not run, or gave no answer in time.
        DaemonRefused: it answered with an error; the message is its own.
    """
    connection = _UnixConnection(path, timeout_s)
    try:
        connection.request(method, resource, body=None if body is None else json.dumps(body),
                           headers={"Content-Type": "application/json"})
        answer = connection.getresponse()
        values = json.loads(answer.read() or b"null")
    except TimeoutError as error:
        raise DaemonUnreachable(f"The daemon at {path} gave no answer within {timeout_s:g} s: it hangs, or has very "
                                f"much to do. Ask again; its log says more.", silent=True) from error
    except PermissionError as error:
        raise DaemonForbidden(f"You may not use {path}. Ask for membership in its group (usermod -aG tradingd NAME), "
                              f"or use sudo.") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise DaemonUnreachable(f"The daemon does not answer at {path}: {error or type(error).__name__}. "
                                f"Start it with: tradectl start") from error
    finally:
        connection.close()
    if answer.status >= 400:
        raise DaemonRefused(values.get("error", str(values)), answer.status, values.get("kind", ""))
    return values


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path, timeout_s: float) -> None:
        super().__init__("tradingd", timeout=timeout_s)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        with short_path(self._path) as address:
            self.sock.connect(address)


class short_path:  # noqa: N801 (reads like a function: with short_path(path) as address)
    """An address for `path` that fits into a socket name, however deep the folder lies (Linux)."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._folder: int | None = None

    def __enter__(self) -> str:
        if len(os.fsencode(self._path)) <= _LONGEST_PATH:
            return str(self._path)
        self._folder = os.open(self._path.parent, os.O_PATH | os.O_DIRECTORY)
        return f"/proc/self/fd/{self._folder}/{self._path.name}"

    def __exit__(self, *_: object) -> None:
        if self._folder is not None:
            os.close(self._folder)
