"""People and programs that ask for things: at the wrong moment, many times, in nonsense, and for the end.

K40, K45, K46, K54, K57, K58.
"""

import signal
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from checker import violations
from rig import Daemon, Rig, StoreServer, due_in, job, memory_mb, until

from trading.unix_socket import DaemonRefused, short_path

NewRig = Callable[..., Rig]
UPSTREAM = ("yesterday", "crashed", "running", "never", "paused")
PROCESSES: dict[str, Any] = {
    "well": job(), "beat": job(every="PT2S"),
    "yesterday": job(), "crashed": job(arguments={"fail": 1}), "running": job(arguments={"seconds": 6}),
    "never": job(), "paused": job(),
}


class Desk:
    """The daemon of this module."""

    def __init__(self, rig: Rig) -> None:
        self.rig, self.daemon = rig, rig.daemon().start()

    def post(self, process: str, verb: str, **body: Any) -> Any:
        return self.daemon.ask("POST", f"/processes/{process}/{verb}", body)

    def reload(self, processes: dict[str, Any]) -> None:
        """Save the configuration and wait until it is in use."""
        before = self.daemon.ask("GET", "/status")["generation"]
        self.rig.write_processes(dict(processes))
        until(lambda: self.daemon.ask("GET", "/status")["generation"] > before, 10, "the new configuration is in use")

    def why(self, process: str) -> str:
        rows = self.daemon.ask("GET", "/status")["processes"]
        return next(str(row["why"]) for row in rows if row["process"] == process)


@pytest.fixture(scope="module")
def desk(server: StoreServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    rig = Rig(tmp_path_factory.mktemp("desk") / "rig", server, PROCESSES)
    try:
        yield Desk(rig)
    finally:
        left = rig.close()
    assert left == []


def test_k40_nothing_starts_before_what_it_needs_has_finished_today(desk: Desk) -> None:
    # given upstreams in each state that is no success of today
    done = desk.daemon.run("yesterday", wait=True)
    assert desk.daemon.run("crashed", wait=True)["state"] == "ERROR"
    desk.post("paused", "pause", reason="test")
    day = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()
    _make_it_yesterdays(desk, done["run"], day)
    desk.daemon.run("running")

    # when what depends on each is due
    needs = {f"needs_{name}": due_in(4, after=[name], deadline="PT6S") for name in UPSTREAM}
    desk.reload({**PROCESSES, **needs})
    says = {"yesterday": f"finished for {day} only", "crashed": "failed", "running": "still running",
            "never": "never ran", "paused": "never ran"}
    for name, reason in says.items():
        until(lambda name=name, reason=reason: f"{name} ({reason})" in desk.why(f"needs_{name}"), 10,  # type: ignore[misc]
              f"needs_{name} waits since {name} {reason}")

    # then only the one whose upstream finishes in time runs; the others are left out with the reason
    until(lambda: desk.rig.effects("needs_running", "end"), 15, "the one that can run has run")
    until(lambda: len([tick for name in needs for tick in desk.rig.ticks(name)]) >= 4, 20, "the others are left out")
    for name in set(UPSTREAM) - {"running"}:
        [tick] = desk.rig.ticks(f"needs_{name}")
        assert tick["outcome"] == "SKIPPED"
        assert "its deadline" in tick["reason"]
        assert says[name] in tick["reason"]
        assert desk.rig.effects(f"needs_{name}", "start") == []
    [end], [begin] = desk.rig.effects("running", "end"), desk.rig.effects("needs_running", "start")
    assert end["monotonic"] < begin["monotonic"]
    desk.reload(PROCESSES)


def _make_it_yesterdays(desk: Desk, run: str, day: str) -> None:
    """Only a restart lets the daemon read what somebody else has written into the store."""
    assert desk.daemon.stop() == 0
    desk.rig.database.process_runs.update_one({"_id": run}, {"$set": {"trading_day": day}})
    desk.rig.database.process_states.update_one({"_id": "yesterday"}, {"$set": {
        "last_run.trading_day": day, "last_success.trading_day": day}})
    desk.daemon = desk.rig.daemon().start()


def test_k45_a_process_paused_right_before_its_slot_skips_it_and_makes_up_for_nothing(desk: Desk) -> None:
    # given a process that is due soon
    desk.reload({**PROCESSES, "soon": due_in(4)})
    opens = desk.daemon.ask("GET", "/schedule/next?count=200")
    due = datetime.fromisoformat(next(row["instant"] for row in opens if row["process"] == "soon"))

    # when it is paused as late as possible before its slot, and resumed after it
    while (due - datetime.now(UTC)).total_seconds() > 0.15:
        time.sleep(0.005)
    desk.post("soon", "pause", reason="half day")
    paused = datetime.now(UTC)
    until(lambda: desk.rig.ticks("soon"), 10, "its slot is decided")
    desk.post("soon", "resume")

    # then
    assert paused < due, "the pause was committed before the slot"
    [tick] = desk.rig.ticks("soon")
    assert (tick["outcome"], tick["reason"]) == ("SKIPPED", "paused: half day")
    time.sleep(1)
    assert desk.rig.effects("soon", "start") == []
    desk.reload(PROCESSES)


def test_k46_the_same_command_five_times_at_once_has_one_effect(desk: Desk) -> None:
    # given one command that a client sends five times
    body = {"id": "the-very-same", "actor": "a person", "reason": "test", "wait": True}

    def send(_: int) -> tuple[int, Any]:
        try:
            return 200, desk.daemon.ask("POST", "/processes/well/run", body)
        except DaemonRefused as error:
            return error.status, error.kind

    before = len(desk.rig.runs("well"))
    with ThreadPoolExecutor(5) as pool:
        answers = list(pool.map(send, range(5)))

    # then it is carried out once; whoever comes meanwhile is told so, whoever comes later has the first answer
    assert len(desk.rig.runs("well")) == before + 1
    done = [answer for status, answer in answers if status == 200]
    assert done
    assert all(answer == done[0] for answer in done)
    assert {answer for answer in answers if answer[0] != 200} <= {(409, "BeingDone")}
    assert send(6) == (200, done[0])
    assert len(desk.rig.runs("well")) == before + 1


def test_k46_of_two_operators_at_once_one_starts_the_run_and_the_other_hears_why_not(desk: Desk) -> None:
    def send(person: str) -> tuple[int, str]:
        try:
            return 200, str(desk.post("running", "run", id=f"run-by-{person}", actor=person)["run"])
        except DaemonRefused as error:
            return error.status, str(error)

    with ThreadPoolExecutor(2) as pool:
        answers = sorted(pool.map(send, ("one", "other")))

    assert [status for status, _ in answers] == [200, 409]
    assert f"it is already running ({answers[0][1]})" in answers[1][1]
    desk.post("running", "kill", reason="test")
    until(lambda: not desk.rig.state("running")["active_run"], 10, "it has ended")
    desk.post("running", "reset")


def test_k58_nonsense_on_the_socket_is_bounded_and_others_are_served(desk: Desk) -> None:
    # given five hundred clients that say nothing
    before = memory_mb(desk.daemon.pid)
    idle = [_connected(desk.daemon) for _ in range(500)]

    # when others send too much, no end of a line, and what is no text
    head = b"POST /processes/well/run HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    large = _answer_to(desk.daemon, head + b"Content-Length: 104857600\r\n\r\n", b"x" * 1_000_000, 100)
    endless = _answer_to(desk.daemon, b"GET /", b"x" * 100_000, 10)
    no_text = _answer_to(desk.daemon, head + b"Content-Length: 4\r\n\r\n\xff\xfe\xfd\xfc", b"", 0)

    # then each is refused, nothing runs, memory is bounded, and an honest client has its answer
    assert large.split(b" ")[1:2] in ([b"413"], []), "refused, or hung up on"
    assert endless.split(b" ")[1:2] in ([b"400"], []), "refused, or hung up on"
    assert no_text.startswith(b"HTTP/1.1 400")
    assert b"no JSON" in no_text
    asked_s = time.monotonic()
    assert desk.daemon.phase() == "running"
    assert time.monotonic() - asked_s < 2
    assert memory_mb(desk.daemon.pid) - before < 60
    for client in idle:
        client.close()


def _connected(daemon: Daemon) -> socket.socket:
    client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    client.settimeout(3)
    with short_path(daemon.socket) as address:
        client.connect(address)
    return client


def _answer_to(daemon: Daemon, head: bytes, block: bytes, times: int) -> bytes:
    """Send, as long as somebody listens; what is answered."""
    with _connected(daemon) as client:
        with suppress(OSError):  # it has heard enough
            client.sendall(head)
            for _ in range(times):
                client.sendall(block)
        answer = b""
        with suppress(OSError):
            while b"}" not in answer and (piece := client.recv(65_536)):
                answer += piece
        return answer


def test_k54_asked_to_stop_it_waits_for_its_jobs_and_asked_twice_it_does_not(desk: Desk) -> None:
    # given a daemon asked to stop with a job that takes its time
    desk.reload({**PROCESSES, "deaf": job("deaf", grace="PT30S"), "polite": job("polite")})
    for name in ("deaf", "polite"):
        desk.daemon.run(name)
        until(lambda name=name: desk.rig.effects(name, "start"), 10, f"{name} has begun")  # type: ignore[misc]
    asked_s = time.monotonic()
    desk.daemon.signal(signal.SIGTERM)

    # when the polite one has stopped, and somebody asks again
    until(lambda: not desk.rig.runs("polite")[-1]["active"], 10, "the polite job has stopped")
    time.sleep(0.5)
    assert desk.daemon.is_alive(), "the grace of the deaf one is half a minute"
    seen = len(desk.rig.effects("beat", "start"))
    desk.daemon.signal(signal.SIGTERM)

    # then it ends at once, with code 0, and every run has its end
    assert desk.daemon.wait(10) == 0
    assert time.monotonic() - asked_s < 15
    assert desk.rig.wait_until_gone() == []
    assert desk.rig.runs("polite")[-1]["state"] == "STOPPED"
    assert desk.rig.runs("deaf")[-1]["state"] == "TERMINATED"
    assert len(desk.rig.effects("beat", "start")) == seen, "nothing starts while it stops"


def test_k57_a_socket_that_a_killed_daemon_has_left_does_not_keep_the_next_one_out(desk: Desk) -> None:
    # given a stale socket
    desk.daemon = desk.rig.daemon().start()
    desk.daemon.kill()
    assert desk.daemon.socket.exists()
    assert desk.rig.wait_until_gone() == []

    # when the next one starts
    desk.daemon = desk.rig.daemon().start()

    # then it answers; K54: and asked to stop while idle it ends with code 0 and takes its socket away
    assert desk.daemon.phase() == "running"
    assert desk.daemon.stop(10) == 0
    assert not desk.daemon.socket.exists()


def test_k57_a_folder_of_the_socket_that_everybody_may_write_to_is_refused(desk: Desk) -> None:
    # given such a folder
    folder = desk.daemon.socket.parent
    folder.chmod(0o777)
    daemon = desk.rig.daemon().begin()

    # then it does not start, and says what to do
    assert daemon.wait(20) == 2
    assert f"Run: chmod o-w {folder}" in daemon.words()
    folder.chmod(0o750)


def test_all_that_was_asked_for_left_an_unbroken_history(desk: Desk) -> None:
    """The invariants over everything above; what we wrote into the store ourselves is left out."""
    if desk.daemon.is_alive():
        desk.daemon.stop()
    ours = {"yesterday"}
    evidence = desk.rig.evidence()
    kept = {name: [row for row in getattr(evidence, name) if row.get("process", row.get("_id")) not in ours]
            for name in ("effects", "runs", "ticks", "events", "states")}
    assert violations(type(evidence)(**kept), {"beat": 2}) == []
