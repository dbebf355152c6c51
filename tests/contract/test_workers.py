"""The zygote and its workers as real processes, over jobs of our own: they finish, raise, exit, hang, or die."""

import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = textwrap.dedent('''
    import os, signal, socket, subprocess, sys, time
    from daemon.children.die_with_parent import die_with_parent
    from daemon.children.cgroups import prepared
    from daemon.children.zygote import Zygote, _become_subreaper

    class Jobs:
        """Stands in for worker_main: the name of the process says what the job does."""

        def connect_early(self, **address):
            return address

        def run_worker(self, spec, store=None):
            print("I am", spec["run"], flush=True)
            return getattr(self, spec["process"])(spec)

        def finishes(self, spec):
            return 0

        def fails(self, spec):
            return 3

        def raises(self, spec):
            raise RuntimeError("a bug")

        def exits(self, spec):
            sys.exit(5)

        def hangs(self, spec):
            time.sleep(600)

        def is_deaf(self, spec):
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            print("deaf", flush=True)
            time.sleep(600)

        def leaves_children(self, spec):
            inside = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
            outside = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
            print("children", inside.pid, outside.pid, flush=True)
            return 0

    die_with_parent(int(sys.argv[2]))
    _become_subreaper()
    Zygote(socket.socket(fileno=int(sys.argv[1])), Jobs(), prepared(None)).serve()
''')


class ZygoteOfOurs:
    """The daemon's end of the socket."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.socket, theirs = socket.socketpair()
        with theirs:
            self.process = subprocess.Popen([sys.executable, "-c", PROGRAM, str(theirs.fileno()), str(os.getpid())],
                                            pass_fds=(theirs.fileno(),), cwd=ROOT, start_new_session=True)
        self.socket.settimeout(30)
        self.lines = self.socket.makefile("r")
        assert self.event() == {"event": "ready"}

    def event(self) -> dict[str, Any]:
        line = self.lines.readline()
        assert line, "the zygote closed its socket"
        return dict(json.loads(line))

    def tell(self, command: dict[str, Any]) -> None:
        self.socket.sendall(json.dumps(command).encode() + b"\n")

    def start(self, process: str, run: str | None = None) -> int:
        """Start a job; the pid of its worker."""
        run = run or f"{process}@1#1"
        self.tell({"start": {"run": run, "process": process, "log": str(self.log(process))}})
        started = self.event()
        assert (started["event"], started["run"]) == ("started", run)
        return int(started["pid"])

    def log(self, process: str) -> Path:
        return self.folder / "logs" / f"{process}.log"

    def wait_for_words(self, process: str, words: str) -> str:
        deadline = time.monotonic() + 30
        while not (self.log(process).exists() and words in self.log(process).read_text()):
            assert time.monotonic() < deadline, f"{process} never said {words}"
            time.sleep(0.01)
        return self.log(process).read_text()

    def close(self) -> None:
        self.lines.close()
        self.socket.close()
        self.process.kill()
        self.process.wait(timeout=30)


@pytest.fixture
def zygote(tmp_path: Path) -> Iterator[ZygoteOfOurs]:
    ours = ZygoteOfOurs(tmp_path)
    yield ours
    ours.close()


def is_gone(pid: int) -> bool:
    """Whether `pid` has ended, given time to."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        time.sleep(0.01)
    return False


@pytest.mark.parametrize(("process", "code"), [("finishes", 0), ("fails", 3), ("raises", 70), ("exits", 70)])
def test_the_end_of_a_job_is_told_by_its_code(process: str, code: int, zygote: ZygoteOfOurs) -> None:
    zygote.start(process)
    ended = zygote.event()
    assert (ended["event"], ended["run"], ended["code"]) == ("exited", f"{process}@1#1", code)
    assert ended["max_rss_kb"] > 0


def test_a_job_writes_into_its_own_log(zygote: ZygoteOfOurs) -> None:
    zygote.start("finishes")
    zygote.event()
    assert zygote.log("finishes").read_text() == "I am finishes@1#1\n"


def test_a_job_that_hangs_ends_when_asked(zygote: ZygoteOfOurs) -> None:
    pid = zygote.start("hangs")
    zygote.wait_for_words("hangs", "I am")
    zygote.tell({"signal": int(signal.SIGTERM), "run": "hangs@1#1"})
    assert zygote.event()["code"] == -signal.SIGTERM
    assert is_gone(pid)


def test_a_job_that_does_not_listen_is_killed(zygote: ZygoteOfOurs) -> None:
    zygote.start("is_deaf")
    zygote.wait_for_words("is_deaf", "deaf")
    zygote.tell({"signal": int(signal.SIGTERM), "run": "is_deaf@1#1"})
    zygote.tell({"signal": int(signal.SIGKILL), "run": "is_deaf@1#1"})
    assert zygote.event()["code"] == -signal.SIGKILL


def test_a_worker_killed_from_outside_is_noticed_and_others_go_on(zygote: ZygoteOfOurs) -> None:
    # given two workers
    victim = zygote.start("hangs", "hangs@1#1")
    zygote.start("is_deaf")
    zygote.wait_for_words("is_deaf", "deaf")

    # when one is killed
    os.kill(victim, signal.SIGKILL)

    # then only its end is told, and more can be started
    assert (zygote.event() | {"cpu_s": 0, "max_rss_kb": 0})["run"] == "hangs@1#1"
    zygote.start("finishes")
    assert zygote.event()["run"] == "finishes@1#1"


def test_what_a_worker_leaves_behind_is_killed_with_it(zygote: ZygoteOfOurs) -> None:
    zygote.start("leaves_children")
    zygote.event()
    children = zygote.wait_for_words("leaves_children", "children").partition("children@1#1")[2].split()
    pids = [int(word) for word in children if word.isdecimal()]
    assert len(pids) == 2
    assert all(is_gone(pid) for pid in pids)


def test_a_signal_for_a_run_that_has_ended_hits_nobody(zygote: ZygoteOfOurs) -> None:
    zygote.start("finishes")
    zygote.event()
    zygote.tell({"signal": int(signal.SIGKILL), "run": "finishes@1#1"})
    zygote.start("fails")
    assert zygote.event()["code"] == 3


def test_many_workers_at_once_are_each_told_once(zygote: ZygoteOfOurs) -> None:
    wanted = {f"finishes@{n}#1" for n in range(20)}
    for run in sorted(wanted):
        zygote.tell({"start": {"run": run, "process": "finishes", "log": str(zygote.log("finishes"))}})
    events = [zygote.event() for _ in range(40)]
    ended = [event["run"] for event in events if event["event"] == "exited"]
    assert sorted(ended) == sorted(wanted)


def test_workers_die_with_their_zygote(zygote: ZygoteOfOurs) -> None:
    pid = zygote.start("is_deaf")
    zygote.wait_for_words("is_deaf", "deaf")
    zygote.process.kill()
    zygote.process.wait(timeout=30)
    assert is_gone(pid)


def test_the_zygote_ends_when_nobody_talks_to_it_any_more(zygote: ZygoteOfOurs) -> None:
    pid = zygote.start("is_deaf")
    zygote.wait_for_words("is_deaf", "deaf")
    zygote.socket.shutdown(socket.SHUT_RDWR)
    assert zygote.process.wait(timeout=30) == 0
    assert is_gone(pid)
