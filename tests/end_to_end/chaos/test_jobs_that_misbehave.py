"""Jobs that do not stop, do not start, print without end, or come in hundreds. One daemon bears them all.

K31 to K33, K35, K37 to K39; worker and zygote killed with -9.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from checker import violations
from rig import REPOSITORY, Rig, StoreServer, due_in, is_alive, job, memory_mb, until

from daemon.children.signs_of_life import SILENT_AFTER_S

PROCESSES = {
    "deaf": job("deaf"), "polite": job("polite"), "sleeper": job(arguments={"seconds": 50}), "well": job(),
    "unread": job(),
    "parent": job("parent", arguments={"seconds": 0}), "old_parent": job("parent", arguments={"seconds": 50}),
    "other_parent": job("parent", arguments={"seconds": 50}),
    "flood": job("flood", arguments={"megabytes": 1000}, log_max_mb=4), "slow": job("deaf", timeout="PT1S"),
    "absent": job("absent", max_attempts=3), "not_importable": job("not_importable", max_attempts=3),
    "stuck": job(timeout="PT10M", arguments={"seconds": 500}),
    "greedy": job("eats", memory_max_mb=600, arguments={"megabytes": 4000}), "wrong_arity": job("wrong_arity"),
    "no_run": job("no_run", max_attempts=3),
}


class Scene:
    """The daemon of this module."""

    def __init__(self, rig: Rig) -> None:
        self.rig, self.daemon = rig, rig.daemon().start()

    def begin(self, process: str) -> str:
        """Start `process` and wait until its body has begun; the run."""
        run = str(self.daemon.run(process)["run"])
        until(lambda: run in {row["run"] for row in self.rig.effects(process, "start")}, 10, f"{process} has begun")
        return run

    def ended(self, run: str, within_s: float = 15) -> dict[str, Any]:
        """The stored run once it is terminal."""
        def found() -> dict[str, Any] | None:
            return self.rig.database.process_runs.find_one({"_id": run, "active": False})
        return dict(until(found, within_s, f"{run} has ended"))

    def mark(self, run: str) -> dict[str, Any]:
        return next(row for row in self.rig.effects() if row["run"] == run)

    def reload(self, processes: dict[str, Any], **shared: Any) -> None:
        """Save the configuration and wait until it is in use."""
        before = self.daemon.ask("GET", "/status")["generation"]
        self.rig.write_processes(dict(processes), **shared)
        until(lambda: self.daemon.ask("GET", "/status")["generation"] > before, 10, "the new configuration is in use")


@pytest.fixture(scope="module")
def scene(server: StoreServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    rig = Rig(tmp_path_factory.mktemp("jobs") / "rig", server, PROCESSES)
    try:
        scene = Scene(rig)
        yield scene
        assert scene.daemon.stop() == 0
        assert violations(rig.evidence()) == []
    finally:
        left = rig.close()
    assert left == []


def test_k31_a_job_that_ignores_sigterm_is_killed_when_its_grace_is_over(scene: Scene) -> None:
    run = scene.begin("deaf")
    asked_s = time.monotonic()

    scene.daemon.ask("POST", "/processes/deaf/stop", {"reason": "test"})

    ended = scene.ended(run)
    took_s = time.monotonic() - asked_s
    assert ended["state"] == "TERMINATED"
    assert ended["signal"] == signal.SIGKILL
    assert 1.5 <= took_s <= 3.0, "a grace of 2 s, and half a second each way and for this machine"
    assert scene.rig.state("deaf")["state"] == "TERMINATED"


def test_k33_a_job_that_exits_with_0_after_it_was_asked_to_stop_is_stopped(scene: Scene) -> None:
    run = scene.begin("polite")

    scene.daemon.ask("POST", "/processes/polite/stop", {"reason": "test"})

    ended = scene.ended(run)
    assert (ended["state"], ended["exit_code"]) == ("STOPPED", 0)
    assert scene.rig.effects("polite", "end"), "it did its work"


def test_k32_whatever_a_job_has_started_ends_with_it(scene: Scene) -> None:
    # given a job whose children are deaf, one of them in a session of its own
    done = scene.daemon.run("parent", wait=True)

    # then none is alive two seconds after its end
    assert done["state"] == "FINISHED"
    children = scene.mark(done["run"])["children"]
    assert len(children) == 2
    until(lambda: not any(map(is_alive, children)), 2, "all children are gone")


def test_k32_whatever_a_killed_job_has_started_ends_with_it(scene: Scene) -> None:
    run = scene.begin("old_parent")
    children = scene.mark(run)["children"]

    scene.daemon.ask("POST", "/processes/old_parent/kill", {"reason": "test"})

    assert scene.ended(run)["state"] == "TERMINATED"
    until(lambda: not any(map(is_alive, children)), 2, "all children are gone")


def test_k35_a_job_that_prints_a_gigabyte_is_capped_and_hurts_nobody(scene: Scene) -> None:
    # given the memory of daemon and zygote
    zygote = scene.daemon.zygote()
    before = memory_mb(scene.daemon.pid), memory_mb(zygote)

    # when it prints, closes its output and goes on
    run = scene.daemon.run("flood")["run"]
    most = list(before)
    while not scene.rig.database.process_runs.find_one({"_id": run, "active": False}):
        most = [max(most[0], memory_mb(scene.daemon.pid)), max(most[1], memory_mb(zygote))]
        assert time.monotonic() - scene_started(scene, run) < 45
        time.sleep(0.05)

    # then it has finished, its log is bounded, and memory is flat
    ended = scene.ended(run)
    assert ended["state"] == "FINISHED"
    files = list(scene.daemon.state.glob("logs/flood/*"))
    assert sum(file.stat().st_size for file in files) <= 4_000_000
    assert "bytes left out" in "".join(file.read_text() for file in files)
    assert most[0] - before[0] < 20
    assert most[1] - before[1] < 20


def scene_started(scene: Scene, run: str) -> float:
    """When the body began, or now."""
    marks = [row["monotonic"] for row in scene.rig.effects(phase="start") if row["run"] == run]
    return float(marks[0]) if marks else time.monotonic()


def test_k36_a_job_that_takes_four_gigabytes_meets_its_limit_alone(scene: Scene) -> None:
    before_mb = memory_mb(scene.daemon.zygote())
    done = scene.daemon.run("greedy", wait=True)

    assert done["state"] == "ERROR"
    assert "memory" in done["reason"].lower()
    assert scene.ended(done["run"])["max_rss_kb"] < 1_000_000
    assert scene.rig.effects("greedy", "end") == []
    assert memory_mb(scene.daemon.zygote()) < before_mb + 20
    assert scene.daemon.run("well", wait=True)["state"] == "FINISHED"


def test_a_worker_that_lives_and_does_nothing_is_told_of(scene: Scene) -> None:
    run = scene.begin("stuck")
    [worker] = [row["pid"] for row in scene.rig.effects("stuck", "start") if row["run"] == run]
    os.kill(worker, signal.SIGSTOP)

    def told() -> list[str]:
        return [each["text"] for each in scene.daemon.ask("GET", "/alerts")["alerts"] if each["kind"] == "STUCK"]

    [text] = until(told, SILENT_AFTER_S + 60, "somebody is told")
    assert text.startswith(f"{run} gives no sign of life although its process exists.")
    scene.daemon.ask("POST", "/processes/stuck/kill", {"reason": "as the alert says"})
    assert scene.ended(run)["state"] == "TERMINATED"
    until(lambda: not told(), 40, "it is over")


@pytest.mark.parametrize(("process", "says"), [
    ("absent", "The module chaosjobs.absent of absent cannot be imported"),
    ("not_importable", "No module named 'a_library_that_nobody_has'"),
    ("no_run", "The module chaosjobs.no_run of no_run has no function run(job)"),
])
def test_k37_a_job_that_cannot_be_loaded_fails_once_with_the_reason(scene: Scene, process: str, says: str) -> None:
    done = scene.daemon.run(process, wait=True)

    assert done["state"] == "ERROR"
    assert says in done["reason"]
    assert scene.ended(done["run"])["exit_code"] == 78
    assert len(scene.rig.runs(process)) == 1
    assert scene.daemon.run("well", wait=True)["state"] == "FINISHED"


def test_k37_a_job_of_the_wrong_arity_fails_with_the_bug_as_its_reason(scene: Scene) -> None:
    done = scene.daemon.run("wrong_arity", wait=True)

    assert done["state"] == "ERROR"
    assert "TypeError" in done["reason"]


def test_a_job_that_runs_too_long_is_killed_when_it_does_not_obey(scene: Scene) -> None:
    done = scene.daemon.run("slow", wait=True)

    assert done["state"] == "TERMINATED"
    assert "ran for 1 s, longer than allowed" in done["reason"]


def test_a_worker_killed_with_9_is_an_error_that_names_the_signal(scene: Scene) -> None:
    run = scene.begin("sleeper")

    os.kill(scene.mark(run)["pid"], signal.SIGKILL)

    ended = scene.ended(run)
    assert ended["state"] == "ERROR"
    assert "was killed by SIGKILL" in ended["reason"]
    assert scene.daemon.run("well", wait=True)["state"] == "FINISHED"


def test_when_the_mother_of_workers_is_killed_its_runs_are_lost_and_a_new_one_comes(scene: Scene) -> None:
    # given a run with children of its own
    run = scene.begin("other_parent")
    worker, children = scene.mark(run)["pid"], scene.mark(run)["children"]
    zygote = scene.daemon.zygote()

    # when the zygote is killed
    os.kill(zygote, signal.SIGKILL)

    # then the run is LOST with all that belonged to it, and the next one runs
    assert scene.ended(run)["state"] == "LOST"
    until(lambda: not any(map(is_alive, [worker, *children])), 2, "worker and children are gone")
    assert scene.daemon.run("well", wait=True)["state"] == "FINISHED"
    assert scene.daemon.zygote() != zygote


def test_a_mother_of_workers_killed_before_it_has_read_its_orders_is_replaced_as_well(scene: Scene) -> None:
    # given an order that it has received, and not read
    zygote = scene.daemon.zygote()
    os.kill(zygote, signal.SIGSTOP)
    run = scene.daemon.run("unread")["run"]

    # when it is killed
    os.kill(zygote, signal.SIGKILL)

    # then nothing ran, and the next one does
    ended = scene.ended(run)
    assert ended["state"] == "CANCELLED"
    assert "nothing ran" in ended["reason"]
    assert scene.daemon.run("unread", wait=True)["state"] == "FINISHED"


def test_k39_what_overlaps_is_skipped_queued_or_ends_the_older_as_specified(scene: Scene) -> None:
    # given jobs that take two and a half of their periods, and an operator who takes them away after twelve
    rules = ("skip", "queue_one", "queue_all", "terminate_old")
    added = {rule: job(every="PT1S", overlap=rule, queue_max=100, arguments={"seconds": 2.5}) for rule in rules}
    scene.reload({**PROCESSES, **added})
    time.sleep(12)
    bodies = {rule: len(scene.rig.effects(rule, "start")) for rule in rules}
    states = {rule: scene.rig.state(rule) for rule in rules}
    ticks = {rule: scene.rig.ticks(rule) for rule in rules}
    scene.reload(PROCESSES)

    # then
    assert 3 <= bodies["skip"] <= 5
    assert {tick["outcome"] for tick in ticks["skip"]} == {"SKIPPED"}
    assert all("overlap: skip" in tick["reason"] for tick in ticks["skip"])
    assert 3 <= bodies["queue_one"] <= 5
    assert {tick["outcome"] for tick in ticks["queue_one"]} == {"COALESCED"}
    assert len(states["queue_one"]["pending"]) <= 1
    assert 3 <= bodies["queue_all"] <= 5
    assert ticks["queue_all"] == []
    assert len(states["queue_all"]["pending"]) >= 5
    assert bodies["terminate_old"] >= 8
    stopped = [run["state"] for run in scene.rig.runs("terminate_old") if not run["active"]]
    assert set(stopped) == {"STOPPED"}
    assert len(scene.rig.effects("terminate_old", "end")) == 0
    until(lambda: not scene.rig.database.process_runs.find_one({"active": True}), 15, "the last runs have ended")


def test_k38_two_hundred_jobs_of_one_second_all_start_and_the_cli_answers_meanwhile(
        scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    # given two hundred processes that are due at the same moment, of which twenty share three places
    many = {f"many{number}": due_in(8, timeout="PT2M", arguments={"seconds": 0.3},
                                    **({"resources": {"place": 1}} if number < 20 else {})) for number in range(200)}
    scene.reload({**PROCESSES, **many}, resources={"place": 3})

    # when that moment comes, and people ask meanwhile
    answers_s = _asked_until(scene, lambda: len(_many(scene)) >= 200, 60)
    scene.reload(PROCESSES)

    # then all have run, within their limits, and nobody waited for an answer
    few = {f"many{number}" for number in range(20)}
    late_s = sorted(_late_s(row) for row in _many(scene) if row["process"] not in few)
    answers_s.sort()
    with capsys.disabled():
        print(f"\n200 jobs due at once: median body after {late_s[90]:.1f} s, last {late_s[-1]:.1f} s; status "
              f"meanwhile: median {answers_s[len(answers_s) // 2] * 1000:.0f} ms, worst {answers_s[-1] * 1000:.0f} ms")
    assert _most_at_once([row for row in scene.rig.effects() if row["process"] in few]) <= 3
    assert answers_s[-1] < 3.0
    until(lambda: not scene.rig.database.process_runs.find_one({"active": True}), 20, "the last runs have ended")


def _many(scene: Scene) -> list[dict[str, Any]]:
    return [row for row in scene.rig.effects(phase="start") if row["process"].startswith("many")]


def _late_s(row: dict[str, Any]) -> float:
    return (datetime.fromisoformat(row["wall"]) - datetime.fromisoformat(row["slot"])).total_seconds()


def _asked_until(scene: Scene, done: Any, within_s: float) -> list[float]:
    """Ask for the status all the time; how long each answer took."""
    took: list[float] = []
    deadline_s = time.monotonic() + within_s
    while not done():
        assert time.monotonic() < deadline_s, f"only {len(_many(scene))} began within {within_s} s"
        asked_s = time.monotonic()
        scene.daemon.ask("GET", "/status")
        took.append(time.monotonic() - asked_s)
        time.sleep(0.1)
    return took


def _most_at_once(marks: list[dict[str, Any]]) -> int:
    most = now = 0
    for row in sorted(marks, key=lambda row: float(row["monotonic"])):
        now += {"start": 1, "end": -1}[row["phase"]]
        most = max(most, now)
    return most


def test_the_cli_itself_answers_beside_all_this(scene: Scene) -> None:
    done = subprocess.run([sys.executable, "-m", "daemon.cli", "--config", str(scene.rig.config), "--state",
                           str(scene.daemon.state), "status"], capture_output=True, text=True, check=False, timeout=30,
                          cwd=REPOSITORY)
    assert done.returncode == 0
    assert "tradingd is running" in done.stdout
