"""The daemon is killed between any two steps that belong together, one place after the other, on one store.

K03, K04, K05, K06, K52 and the stragglers of K32. Every slot runs once or is LOST with its reason; nobody outlives the
daemon. One history for all, since each start costs seconds; the tests look at what each crash has left.
"""

import signal
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from checker import violations
from rig import Daemon, Rig, StoreServer, is_alive, job, until

POINTS = ("AFTER_CLAIM", "AFTER_SPAWN", "BEFORE_END_WRITE", "AFTER_END_WRITE", "AFTER_CURSOR")
QUEUED = {"overlap": "queue_all", "queue_max": 100}
PROCESSES = {
    "beat": job(every="PT2S", arguments={"seconds": 0.1}, **QUEUED),
    "busy": job(every="PT1S", arguments={"seconds": 1.5}),  # every other slot is skipped: written without a run
    "holds": job("kill_daemon", arguments={"children": 1}),
    "retries": job("kill_daemon", every="PT4S", on_lost="retry", **QUEUED),
}


@dataclass
class History:
    """What each crash left: the exit code, who was still there, and the runs that were active then."""

    rig: Rig
    codes: dict[str, int] = field(default_factory=dict)
    left: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    active: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    newest: dict[str, dict[str, Any]] = field(default_factory=dict)
    generations: dict[str, int] = field(default_factory=dict)
    answered: dict[str, Any] = field(default_factory=dict)

    def crash(self, point: str, daemon: Daemon) -> None:
        """Wait for the crash and take the evidence."""
        self.codes[point] = daemon.wait(40)
        self.left[point] = self.rig.wait_until_gone(2)
        self.active[point] = [run for run in self.rig.runs() if run["active"]]
        self.newest[point] = max((run for run in self.rig.runs()), key=lambda run: run["created"])


@pytest.fixture(scope="module")
def history(server: StoreServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[History]:
    told = History(rig := Rig(tmp_path_factory.mktemp("crashes") / "rig", server, PROCESSES))
    try:
        _crash_everywhere(told)
        yield told
    finally:
        left = rig.close()
    assert left == []


def _crash_everywhere(told: History) -> None:
    rig = told.rig
    for point in POINTS:
        told.crash(point, rig.daemon("a", TRADINGD_CRASH_AT=point).begin())
    told.crash("retries", _armed(rig, "retries").begin())
    _killed_by_its_own_job(told)
    _killed_in_a_reload(told)
    last = rig.daemon("a").start()
    until(lambda: not rig.state("beat")["pending"] and not rig.state("retries")["pending"], 30, "all is made up for")
    told.answered = last.ask("GET", "/status")
    told.codes["last"] = last.stop()


def _armed(rig: Rig, process: str) -> Daemon:
    (rig.folder / "armed").write_text(process)
    return rig.daemon("a")


def _killed_by_its_own_job(told: History) -> None:
    daemon = _armed(told.rig, "holds").start()
    daemon.run("holds")
    told.crash("holds", daemon)


def _killed_in_a_reload(told: History) -> None:
    daemon = told.rig.daemon("a", TRADINGD_CRASH_AT="MID_RELOAD").start()
    told.generations["before"] = daemon.ask("GET", "/status")["generation"]
    told.rig.write_processes({**PROCESSES, "new": job()})
    told.crash("MID_RELOAD", daemon)


@pytest.mark.parametrize("point", [*POINTS, "retries", "holds", "MID_RELOAD"])
def test_k05_whoever_belongs_to_a_killed_daemon_dies_with_it(history: History, point: str) -> None:
    assert history.codes[point] == -signal.SIGKILL
    groups = [words for _, words in history.left[point] if "time.sleep(120)" not in words]
    assert groups == []


def test_k03_a_claim_without_a_worker_is_withdrawn_and_the_slot_runs_once(history: History) -> None:
    # given the run that was claimed when the daemon died
    claimed = history.active["AFTER_CLAIM"]
    assert claimed
    assert {run["state"] for run in claimed} == {"STARTING"}

    # then it is withdrawn; where slots wait for their turn, another attempt has the body, and it alone;
    # where they are skipped there is one only if the next daemon was there before the next slot
    for run in claimed:
        [first, *later] = _chain(history, run)
        assert first["state"] == "CANCELLED"
        assert "nothing ran" in first["reason"]
        assert later or run["process"] == "busy"
        finished = bool(later) and later[-1]["state"] == "FINISHED"  # else the next crash has hit it
        assert len(_bodies(history, run)) in ({1} if finished else {0, 1})


def test_k04_a_worker_that_was_asked_for_runs_at_most_once(history: History) -> None:
    claimed = history.active["AFTER_SPAWN"]
    assert claimed
    for run in claimed:
        chain = _chain(history, run)
        assert chain[-1]["state"] not in ("STARTING", "RUNNING")
        assert len(_bodies(history, run)) <= 1


@pytest.mark.parametrize("point", ["BEFORE_END_WRITE", "AFTER_END_WRITE"])
def test_k06_a_run_whose_end_was_being_written_finishes_once(history: History, point: str) -> None:
    begun = history.newest[point]
    assert len(_bodies(history, begun)) <= 1
    found = {run["_id"]: run["state"] for run in history.rig.runs()}
    if point == "BEFORE_END_WRITE":  # it had said its last word itself
        said = [run for run in history.active[point] if run["said_code"] == 0]
        assert said
        assert {found[run["_id"]] for run in said} == {"FINISHED"}


def test_k06_no_slot_is_forgotten_or_told_twice_wherever_the_daemon_dies(history: History) -> None:
    assert violations(history.rig.evidence(), {"beat": 2, "busy": 1, "retries": 4}, frozenset({"retries"})) == []


def test_k05_a_body_whose_daemon_died_is_lost_and_not_run_again(history: History) -> None:
    [run] = history.rig.runs("holds")
    assert run["state"] == "LOST"
    assert f"tradectl resolve {run['_id']}" in run["reason"]
    assert len(history.rig.effects("holds", "start")) == 1
    assert history.rig.effects("holds", "end") == []


def test_k05_a_lost_body_that_may_be_repeated_is_repeated_under_a_greater_token(history: History) -> None:
    lost = [run for run in history.rig.runs("retries") if run["state"] == "LOST"]
    assert lost
    for run in lost:
        again = [row for row in history.rig.effects("retries", "start") if row["slot"] == run["slot"]]
        assert [row["attempt"] for row in again][-1] > run["attempt"]
        assert again[-1]["fence"] > run["token"]


def test_k32_programs_in_sessions_of_their_own_end_with_the_next_start(history: History) -> None:
    [marked] = history.rig.effects("holds", "start")
    assert len(marked["children"]) == 1
    assert [pid for pid in marked["children"] if is_alive(pid)] == []


def test_k52_a_daemon_killed_in_the_middle_of_a_reload_uses_the_new_generation_as_a_whole(history: History) -> None:
    assert history.answered["generation"] == history.generations["before"] + 1
    assert "new" in {row["process"] for row in history.answered["processes"]}
    assert history.answered["config_problem"] == ""


def _chain(history: History, run: dict[str, Any]) -> list[dict[str, Any]]:
    rows = [row for row in history.rig.runs(run["process"]) if row["slot"] == run["slot"]]
    return sorted(rows, key=lambda row: int(row["attempt"]))


def _bodies(history: History, run: dict[str, Any]) -> list[dict[str, Any]]:
    """What was begun of its slot, but for what another crash has lost and another attempt has repeated."""
    repeated = {row["attempt"] for row in _chain(history, run)[:-1] if row["state"] == "LOST"}
    return [row for row in history.rig.effects(run["process"], "start")
            if row["slot"] == run["slot"] and row["attempt"] not in repeated]
