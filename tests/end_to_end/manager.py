"""A service manager of the tests' own: what systemd does to a unit with Type=notify, behind NOTIFY_SOCKET.

It starts a program, believes only messages of its main process (NotifyAccess=main), restarts it (Restart=always) unless
its exit code forbids that, kills it when the watchdog is silent, and stops it as KillMode=mixed says. The control group
is played by a mark in the environment that every descendant inherits.
"""

import contextlib
import os
import secrets
import signal
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

MARK = "TRADINGD_TEST_UNIT"


@dataclass(frozen=True, kw_only=True)
class Told:
    """One datagram of the service."""

    at: datetime
    pid: int
    fields: dict[str, str]


@dataclass(kw_only=True)
class Unit:
    """The options of a unit that the manager honours; in seconds."""

    words: list[str]
    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    abstract: bool = False
    watchdog_s: float | None = None
    abort_s: float = 3.0
    stop_s: float = 60.0
    restart_s: float = 0.1
    prevent_restart: tuple[int, ...] = (2,)


class Manager:
    """Runs one unit from `start` to `close`; its thread does what systemd would do meanwhile."""

    def __init__(self, unit: Unit) -> None:
        self.unit = unit
        self.told: list[Told] = []
        self.strangers: list[Told] = []  # messages of others than the main process
        self.pids: list[int] = []
        self.codes: list[int] = []
        self.ended = threading.Event()  # the unit is down and is not started again
        self._mark = secrets.token_hex(8)
        self._stopping = self._closing = False
        self._stop_by: float | None = None
        self._alive_by: float | None = None  # the next sign of life must have come by then
        self._aborted = 0  # the main process that was told to abort
        self._channel = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._channel.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self._address = f"@tradingd-test-{self._mark}" if unit.abstract else str(unit.folder / f"notify-{self._mark}")
        self._channel.bind(self._address.replace("@", "\0", 1) if unit.abstract else self._address)
        self._channel.settimeout(0.02)
        self._process = self._spawn()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    # --- what a test asks for ---------------------------------------------------------------------------------

    def wait_for(self, wanted: Callable[[Told], bool], after: int = 0, timeout_s: float = 30) -> Told:
        """The first message from number `after` on that is `wanted`."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            found = next((told for told in self.told[after:] if wanted(told)), None)
            if found is not None:
                return found
            if self.ended.wait(0.02):
                break
        raise AssertionError(f"not told within {timeout_s} s; told: {[told.fields for told in self.told]}, "
                             f"codes {self.codes}, output: {self.output()[-2000:]}")

    def wait_until_ready(self, start: int = 1) -> Told:
        """READY=1 of the start number `start`."""
        return self.wait_for(lambda told: told.fields.get("READY") == "1" and self.pids.index(told.pid) == start - 1)

    def stop(self) -> int:
        """As `systemctl stop`: the exit code of the main process."""
        self._stop_by, self._stopping = time.monotonic() + self.unit.stop_s, True
        self.signal(signal.SIGTERM)
        assert self.ended.wait(self.unit.stop_s + 60), "the manager itself hangs"
        return self.codes[-1]

    def signal(self, number: int) -> None:
        """To the main process alone."""
        self._process.send_signal(number)

    def group(self) -> list[int]:
        """Every living process of the unit."""
        mark, found = f"{MARK}={self._mark}".encode(), []
        for path in Path("/proc").glob("[0-9]*/environ"):
            with contextlib.suppress(OSError):
                if mark in path.read_bytes().split(b"\0"):
                    found.append(int(path.parent.name))
        return found

    def output(self) -> str:
        return (self.unit.folder / "output").read_text(errors="replace")

    def close(self) -> None:
        """End everything, whatever has happened."""
        self._closing = True
        self._thread.join(10)
        self._kill_group()
        self._process.wait(10)
        self._channel.close()

    # --- what systemd does ------------------------------------------------------------------------------------

    def _spawn(self) -> "subprocess.Popen[bytes]":
        watchdog = {} if self.unit.watchdog_s is None else {"WATCHDOG_USEC": f"{self.unit.watchdog_s * 1e6:.0f}"}
        script = 'export WATCHDOG_PID=$$; exec "$@"'
        with (self.unit.folder / "output").open("ab") as output:
            process = subprocess.Popen(
                ["/bin/sh", "-c", script, "sh", *self.unit.words], stdout=output, stderr=output,
                stdin=subprocess.DEVNULL, start_new_session=True, cwd=self.unit.folder,
                env=os.environ | self.unit.environment | watchdog | {"NOTIFY_SOCKET": self._address, MARK: self._mark})
        self.pids.append(process.pid)
        self._alive_by = None  # the watchdog counts from READY=1 on
        return process

    def _run(self) -> None:
        while not self._closing:
            self._listen()
            if self._process.poll() is not None:
                self._listen()  # its last words
                if not self._main_has_ended():
                    return
            elif self._stop_by is not None:
                if time.monotonic() > self._stop_by:
                    self._kill_group()
            elif self._alive_by is not None and time.monotonic() > self._alive_by:
                self._end_the_silent()

    def _main_has_ended(self) -> bool:
        """Clean up behind the main process; whether the unit was started again."""
        self._kill_group()
        self.codes.append(self._process.returncode)
        if self._stopping or self._process.returncode in self.unit.prevent_restart:
            self.ended.set()
            return False
        time.sleep(self.unit.restart_s)
        self._process = self._spawn()
        return True

    def _end_the_silent(self) -> None:
        """Abort first, so that it can say where it hangs; kill when that does not help."""
        if self._aborted == self._process.pid:
            self._kill_group()
            return
        self._aborted = self._process.pid
        self.signal(signal.SIGABRT)
        self._alive_by = time.monotonic() + self.unit.abort_s

    def _listen(self) -> None:
        for told in self._messages():
            if told.pid != self._process.pid:
                self.strangers.append(told)
                continue
            self._obey(told)
            self.told.append(told)

    def _obey(self, told: Told) -> None:
        now, extended_s = time.monotonic(), int(told.fields.get("EXTEND_TIMEOUT_USEC", "0")) / 1e6
        if self._stop_by is not None:
            self._stop_by = max(self._stop_by, now + extended_s)
        is_ready = told.fields.get("READY") == "1"
        is_alive = is_ready or (self._alive_by is not None and told.fields.get("WATCHDOG") == "1")
        if self.unit.watchdog_s is not None and is_alive and self._aborted != told.pid:
            self._alive_by = now + self.unit.watchdog_s

    def _messages(self) -> Iterator[Told]:
        while True:
            try:
                data, ancillary, _, _ = self._channel.recvmsg(65536, socket.CMSG_SPACE(12))
            except TimeoutError:
                return
            pid = next(struct.unpack("3i", content)[0] for _, kind, content in ancillary
                       if kind == socket.SCM_CREDENTIALS)
            lines = (line.partition("=") for line in data.decode().splitlines())
            yield Told(at=datetime.now(UTC), pid=pid, fields={name: value for name, _, value in lines})

    def _kill_group(self) -> None:
        for _ in range(50):
            left = self.group()
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            if not left:
                return
            time.sleep(0.02)
