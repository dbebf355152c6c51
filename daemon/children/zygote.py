"""The mother of all workers: a preloaded process that forks one child a run in about ten milliseconds.

It is the daemon's direct child and dies with it; its children die with it. It has no threads and no connections,
so that forking is safe. It writes what they print, within bounds. It alone collects the dead, so a signal can never
hit a reused pid. One spare worker waits, already connected to the store, for the next run. Commands and events are
JSON lines on one socket: {"store": address}, {"start": spec}, {"signal": number, "run": id} / {"event": "started" |
"exited", ...}.
"""

import gc
import json
import os
import resource
import selectors
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TextIO

from daemon.children.cgroups import MEMBERSHIP, RunGroups, own_group, prepared
from daemon.children.die_with_parent import die_with_parent
from daemon.children.process_tree import RUN_VARIABLE, kill_marked
from daemon.children.run_output import RunOutput

PR_SET_CHILD_SUBREAPER: Final = 36
_NO_WORKER: Final = 71  # the machine could not fork
_CHUNK: Final = 262_144
_LOG_MAX_MB: Final = 50
_SPARE_AFTER_S: Final = 0.05  # behind a start, so that several due at once do not wait for it
_SPARE_AT_MOST_EVERY_S: Final = 1.0  # should they die as they are born


def main() -> None:
    """Serve commands from the inherited socket (its number is the first argument) until it closes."""
    die_with_parent(int(sys.argv[2]))
    _become_subreaper()
    from daemon import worker_main

    worker_main.preload()
    gc.collect()
    gc.freeze()  # keep shared pages shared
    groups = prepared(own_group(MEMBERSHIP.read_text()))
    with suppress(ConnectionError):  # the daemon is gone
        Zygote(socket.socket(fileno=int(sys.argv[1])), worker_main, groups).serve()


@dataclass(frozen=True)
class _Child:
    pid: int
    output: int  # where its output is read


@dataclass(frozen=True)
class _Spare:
    child: _Child
    commands: int  # where its run is written


class Zygote:
    """Forks, signals and collects workers. Single-threaded."""

    def __init__(self, connection: socket.socket, worker_main: Any, groups: RunGroups) -> None:
        self._connection = connection
        self._groups = groups
        self._worker_main = worker_main
        self._pids: dict[str, int] = {}
        self._outputs: dict[str, tuple[int, RunOutput]] = {}
        self._spare: _Spare | None = None
        self._spare_from_s = 0.0  # when the next spare may be made
        self._store: dict[str, Any] | None = None
        self._selector = selectors.DefaultSelector()
        self._wake_read, self._wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def serve(self) -> None:
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # the daemon decides when workers end
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.set_wakeup_fd(self._wake_write)
        self._selector.register(self._connection, selectors.EVENT_READ)
        self._selector.register(self._wake_read, selectors.EVENT_READ)
        self._tell({"event": "ready"})
        buffer = b""
        while True:
            for key, _ in self._selector.select(self._patience_s()):
                if key.data is not None:
                    self._copy_output(key.data)
                elif key.fileobj is self._connection:
                    received = self._connection.recv(65536)
                    if not received:
                        return
                    *lines, buffer = (buffer + received).split(b"\n")
                    for line in lines:
                        self._obey(json.loads(line))
            self._drain_wakeups()
            self._collect()
            self._make_spare()

    def _obey(self, command: dict[str, Any]) -> None:
        if "start" in command:
            self._start(command["start"])
        elif "store" in command:
            self._store = command["store"]
        elif command["run"] in self._pids:
            _signal_group(self._pids[command["run"]], command["signal"])
            if command["signal"] == signal.SIGKILL:
                self._groups.kill(command["run"])

    def _start(self, spec: dict[str, Any]) -> None:
        run = spec["run"]
        try:
            self._groups.create(run, spec.get("memory_max_mb"))
            child = self._use_spare(spec) or self._fork(lambda: self._run(spec))
        except OSError as error:
            print(f"no control group for {run}: {error}", file=sys.stderr, flush=True)
            child = None
        if child is None:
            self._tell({"event": "exited", "run": run, "code": _NO_WORKER, "max_rss_kb": None, "cpu_s": None,
                        "out_of_memory": False})
            return
        output = RunOutput(Path(spec["log"]), spec.get("log_max_mb", _LOG_MAX_MB) * 1_000_000)
        self._outputs[run] = (child.output, output)
        self._selector.register(child.output, selectors.EVENT_READ, data=run)
        self._pids[run] = child.pid
        self._tell({"event": "started", "run": run, "pid": child.pid})

    def _fork(self, work: Callable[[], int]) -> "_Child | None":
        """A child of its own session that does `work`; None when the machine has no room for one."""
        me, (read, write) = os.getpid(), os.pipe2(os.O_CLOEXEC)
        try:
            pid = os.fork()
        except OSError as error:
            print(f"no worker could be started: {error}", file=sys.stderr, flush=True)
            os.close(read)
            os.close(write)
            return None
        if pid == 0:
            self._become_worker(me, write, work)
        os.close(write)
        os.set_blocking(read, False)
        return _Child(pid, read)

    def _become_worker(self, parent: int, output: int, work: Callable[[], int]) -> None:
        code = 70
        try:
            signal.set_wakeup_fd(-1)
            for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT):
                signal.signal(number, signal.SIG_DFL)
            os.setsid()
            die_with_parent(parent)
            self._connection.close()
            _redirect_output(output)
            code = work()
        finally:
            with suppress(OSError, ValueError):  # the job may have closed them
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(code)

    def _run(self, spec: dict[str, Any], store: Any = None) -> int:
        self._groups.enter(spec["run"])
        _limit_memory(None if self._groups.in_use else spec.get("memory_max_mb"))
        os.environ[RUN_VARIABLE] = spec["run"]
        return int(self._worker_main.run_worker(spec, store))

    # --- the spare worker: forked and connected before anybody needs it ---------------------------------------

    def _patience_s(self) -> float | None:
        """How long to wait for commands; a spare is made when there are none."""
        needs_spare = self._store is not None and self._spare is None
        return max(self._spare_from_s - time.monotonic(), 0.0) if needs_spare else None

    def _make_spare(self) -> None:
        if self._store is None or self._spare is not None or time.monotonic() < self._spare_from_s:
            return
        read, write = os.pipe2(os.O_CLOEXEC)
        address = self._store
        child = self._fork(lambda: self._wait_for_run(read, address))
        os.close(read)
        self._spare_from_s = time.monotonic() + _SPARE_AT_MOST_EVERY_S
        if child is None:
            os.close(write)
        else:
            self._spare = _Spare(child, write)

    def _wait_for_run(self, commands: int, address: dict[str, Any]) -> int:
        """In the spare worker: connect, then wait for the run that it is for."""
        store = self._worker_main.connect_early(**address)
        with os.fdopen(commands, "rb") as lines:
            line = lines.readline()
        return self._run(json.loads(line), store) if line else 0

    def _use_spare(self, spec: dict[str, Any]) -> "_Child | None":
        """The spare as the worker of `spec`; None when there is none, or none any more."""
        spare, self._spare = self._spare, None
        self._spare_from_s = time.monotonic() + _SPARE_AFTER_S
        if spare is None:
            return None
        try:
            with os.fdopen(spare.commands, "wb") as commands:
                commands.write(json.dumps(spec).encode() + b"\n")
        except OSError:  # it has died; nobody told it anything
            os.close(spare.child.output)
            return None
        return spare.child

    def _copy_output(self, run: str) -> bool:
        """Keep a piece of what a worker printed; whether there was any."""
        read, output = self._outputs[run]
        try:
            text = os.read(read, _CHUNK)
        except BlockingIOError:
            return False
        if text:
            output.accept(text, time.monotonic())
        else:
            self._stop_reading(read)  # it has closed its output, and may go on
        return bool(text)

    def _stop_reading(self, read: int) -> None:
        if read in self._selector.get_map():
            self._selector.unregister(read)

    def _close_output(self, run: str) -> None:
        read, output = self._outputs[run]
        pieces = 0
        while pieces < 64 and self._copy_output(run):  # a grandchild may still print
            pieces += 1
        self._stop_reading(read)
        del self._outputs[run]
        os.close(read)
        output.close()

    def _collect(self) -> None:
        """Report workers that ended, kill what is left of their groups, and bury adopted orphans."""
        for pid in _ended_children():
            run = next((run for run, worker in self._pids.items() if worker == pid), None)
            if self._spare is not None and self._spare.child.pid == pid:
                os.close(self._spare.commands)
                os.close(self._spare.child.output)
                self._spare = None
            if run is not None:
                _signal_group(pid, signal.SIGKILL)  # grandchildren; not yet collected, so the group is ours
            _, status, usage = os.wait4(pid, 0)
            if run is not None:
                del self._pids[run]
                use = self._groups.end(run)
                kill_marked(run)
                self._close_output(run)
                self._tell({"event": "exited", "run": run, "code": os.waitstatus_to_exitcode(status),
                            "max_rss_kb": usage.ru_maxrss, "cpu_s": usage.ru_utime + usage.ru_stime,
                            "out_of_memory": use.out_of_memory})

    def _tell(self, event: dict[str, Any]) -> None:
        self._connection.sendall(json.dumps(event).encode() + b"\n")

    def _drain_wakeups(self) -> None:
        try:
            while os.read(self._wake_read, 4096):
                pass
        except BlockingIOError:
            return


def _ended_children() -> Iterator[int]:
    while True:
        try:
            ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return
        if ended is None:
            return
        yield ended.si_pid


def _signal_group(leader: int, number: int) -> None:
    try:
        os.killpg(leader, number)
    except ProcessLookupError:
        os.kill(leader, number)  # forked a moment ago, not yet a group of its own; not collected, so it is ours


def _redirect_output(output: int) -> None:
    nothing = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
    for source, target in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(source, target)
    sys.stdout, sys.stderr = _line_by_line(1), _line_by_line(2)


def _line_by_line(descriptor: int) -> TextIO:
    """Output that can be followed; on a copy, so that a job which closes its output has not failed by that."""
    return os.fdopen(os.dup(descriptor), "w", buffering=1, encoding="utf-8", errors="backslashreplace")


def _limit_memory(megabytes: int | None) -> None:
    """The kernel ends a job that takes too much, not its neighbours; and when memory is short, jobs go first."""
    if megabytes is not None:
        resource.setrlimit(resource.RLIMIT_DATA, (megabytes * 1_000_000, megabytes * 1_000_000))
    Path("/proc/self/oom_score_adj").write_text("500")


def _become_subreaper() -> None:
    import ctypes

    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


if __name__ == "__main__":
    main()
