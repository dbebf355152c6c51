"""The mother of all workers: a preloaded process that forks one child a run in about ten milliseconds.

It is the daemon's direct child and dies with it; its children die with it. It has no threads and no connections,
so that forking is safe. It writes what they print, within bounds. It alone collects the dead, so a signal can never
hit a reused pid. Commands and events are JSON lines on one socket: {"start": spec}, {"signal": number, "run": id} /
{"event": "started" | "exited", ...}.
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
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, TextIO

from daemon.die_with_parent import die_with_parent
from daemon.process_tree import RUN_VARIABLE, kill_marked
from daemon.run_output import RunOutput

PR_SET_CHILD_SUBREAPER: Final = 36
_NO_WORKER: Final = 71  # the machine could not fork
_CHUNK: Final = 262_144
_LOG_MAX_MB: Final = 50


def main() -> None:
    """Serve commands from the inherited socket (its number is the first argument) until it closes."""
    die_with_parent(int(sys.argv[2]))
    _become_subreaper()
    from daemon import worker_main

    worker_main.preload()
    gc.collect()
    gc.freeze()  # keep shared pages shared
    Zygote(socket.socket(fileno=int(sys.argv[1])), worker_main).serve()


class Zygote:
    """Forks, signals and collects workers. Single-threaded."""

    def __init__(self, connection: socket.socket, worker_main: Any) -> None:
        self._connection = connection
        self._worker_main = worker_main
        self._pids: dict[str, int] = {}
        self._outputs: dict[str, tuple[int, RunOutput]] = {}
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
            for key, _ in self._selector.select():
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

    def _obey(self, command: dict[str, Any]) -> None:
        if "start" in command:
            self._start(command["start"])
        elif command["run"] in self._pids:
            _signal_group(self._pids[command["run"]], command["signal"])

    def _start(self, spec: dict[str, Any]) -> None:
        me, run = os.getpid(), spec["run"]
        read, write = os.pipe2(os.O_CLOEXEC)
        try:
            pid = os.fork()
        except OSError as error:
            os.close(read)
            os.close(write)
            self._tell({"event": "exited", "run": run, "code": _NO_WORKER, "max_rss_kb": None, "cpu_s": None,
                        "reason": str(error)})
            return
        if pid == 0:
            self._become_worker(spec, me, write)
        os.close(write)
        os.set_blocking(read, False)
        output = RunOutput(Path(spec["log"]), spec.get("log_max_mb", _LOG_MAX_MB) * 1_000_000)
        self._outputs[run] = (read, output)
        self._selector.register(read, selectors.EVENT_READ, data=run)
        self._pids[run] = pid
        self._tell({"event": "started", "run": run, "pid": pid})

    def _become_worker(self, spec: dict[str, Any], parent: int, output: int) -> None:
        code = 70
        try:
            signal.set_wakeup_fd(-1)
            for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT):
                signal.signal(number, signal.SIG_DFL)
            os.setsid()
            die_with_parent(parent)
            self._connection.close()
            _redirect_output(output)
            _limit_memory(spec.get("memory_max_mb"))
            os.environ[RUN_VARIABLE] = spec["run"]
            code = self._worker_main.run_worker(spec)
        finally:
            with suppress(OSError, ValueError):  # the job may have closed them
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(code)

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
            if run is not None:
                _signal_group(pid, signal.SIGKILL)  # grandchildren; not yet collected, so the group is ours
            _, status, usage = os.wait4(pid, 0)
            if run is not None:
                del self._pids[run]
                kill_marked(run)
                self._close_output(run)
                self._tell({"event": "exited", "run": run, "code": os.waitstatus_to_exitcode(status),
                            "max_rss_kb": usage.ru_maxrss, "cpu_s": usage.ru_utime + usage.ru_stime})

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
