"""Kills at random moments of whatever can be killed, under a busy schedule: no slot runs twice, none is forgotten.

K07 in its short form, and everything that nobody thought of. The seed is printed, and can be given again:
CHAOS_SEED=... pytest tests/end_to_end/chaos/test_random_kills.py. The long form (200 kills) runs with the soak tests.
"""

import os
import random
import secrets
import signal
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from checker import violations
from rig import Daemon, Rig, StoreServer, children_of, job, until

NewRig = Callable[..., Rig]
RULES = ("skip", "queue_one", "queue_all")


def busy_schedule() -> dict[str, dict[str, object]]:
    """Fifty short jobs, due every twelve to twenty-one seconds, of each overlap and each rule for what is lost."""
    return {f"job{number}": job(
        every=f"PT{_period_s(number)}S", overlap=RULES[number % 3], queue_max=50,
        on_lost="retry" if number % 4 == 0 else "hold", catchup="latest" if number % 5 == 0 else "none",
        misfire_grace="PT20S", arguments={"seconds": 0.1 * (number % 7)}) for number in range(50)}


def _period_s(number: int) -> int:
    return 12 + number % 10


@pytest.mark.parametrize("kills", [20, pytest.param(200, marks=pytest.mark.soak)])
def test_k07_random_kills_leave_each_slot_with_exactly_one_outcome(
        kills: int, own_server: StoreServer, new_rig: NewRig, capsys: pytest.CaptureFixture[str]) -> None:
    # given fifty jobs at work
    seed = int(os.environ.get("CHAOS_SEED") or secrets.randbelow(1_000_000))
    with capsys.disabled():
        print(f"\nCHAOS_SEED={seed}")
    processes = busy_schedule()
    rig = new_rig(own_server, processes)
    killer = Killer(rig, own_server, random.Random(seed))

    # when things are killed
    killer.kill_many(kills)

    # then, once all has come to rest, every due slot has exactly one outcome, and what is written is what happened
    killer.come_to_rest()
    rhythm = {name: _period_s(number) for number, name in enumerate(processes)}
    repeat = frozenset(name for name, process in processes.items() if process["on_lost"] == "retry")
    evidence = rig.evidence()
    assert violations(evidence, rhythm, repeat) == []
    behind_s = {state["_id"]: (killer.rested - state["evaluated_through"]).total_seconds() for state in evidence.states}
    assert {name: late_s for name, late_s in behind_s.items() if late_s > 30} == {}
    assert set(killer.gave_up) <= {75}, "a sentence and an exit code, whatever happens at the start"
    states = Counter(run["state"] for run in evidence.runs)
    outcomes = Counter(tick["outcome"] for tick in evidence.ticks)
    assert states["FINISHED"] > kills
    with capsys.disabled():
        print(f"killed {dict(killer.killed)}; runs {dict(states)}; slots without a run {dict(outcomes)}")


class Killer:
    """Kills by its own dice, and starts again what does not come back by itself."""

    def __init__(self, rig: Rig, server: StoreServer, dice: random.Random) -> None:
        self._rig, self._server, self._dice = rig, server, dice
        self.killed: Counter[str] = Counter()
        self.gave_up: list[int] = []
        self.rested = datetime.now(UTC)
        self._daemon = self._rig.daemon().start()

    def kill_many(self, kills: int) -> None:
        """Each at a random moment after the one before."""
        acts = {"worker": self._kill_worker, "zygote": self._kill_zygote, "daemon": self._kill_daemon,
                "store": self._kill_store}
        while sum(self.killed.values()) < kills:
            time.sleep(self._dice.uniform(0.0, 1.2))
            [name] = self._dice.choices(list(acts), weights=(10, 3, 4, 3))
            if acts[name]():
                self.killed[name] += 1

    def come_to_rest(self) -> None:
        """Take the schedule away from new slots: let all that waits run, then stop."""
        until(self._is_up, 60, "the last daemon is at work")
        seen = len(self._rig.effects(phase="end"))
        until(lambda: len(self._rig.effects(phase="end")) > seen + 20, 40, "the schedule goes on")
        assert self._daemon.stop(40) == 0
        self.rested = datetime.now(UTC)

    def _started(self) -> Daemon:
        return self._rig.daemon().begin()

    def _kill_worker(self) -> bool:
        workers = [pid for zygote in self._zygotes() for pid, _ in children_of(zygote)]
        return bool(workers) and self._kill(self._dice.choice(workers))

    def _kill_zygote(self) -> bool:
        zygotes = self._zygotes()
        return bool(zygotes) and self._kill(zygotes[0])

    def _kill_daemon(self) -> bool:
        self._daemon.kill()
        self._daemon = self._started()
        if self._dice.random() < 0.8:  # else the next kill may hit it while it starts
            until(self._is_up, 60, "the daemon is up again")
        return True

    def _is_up(self) -> bool:
        """One that gave up, since the store died while it started, is started again, as its unit would."""
        if not self._daemon.is_alive():
            assert self._daemon.process is not None
            self.gave_up.append(int(self._daemon.process.returncode))
            self._daemon = self._started()
        return self._daemon.phase() == "running"

    def _kill_store(self) -> bool:
        self._server.kill()
        time.sleep(self._dice.uniform(0.0, 1.0))
        self._server.start()
        return True

    def _zygotes(self) -> list[int]:
        """None while the daemon starts."""
        return [pid for pid, words in children_of(self._daemon.pid) if "daemon.children.zygote" in words]

    def _kill(self, pid: int) -> bool:
        """Only what is ours: a child of our daemon, found a moment ago."""
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            return True
        return False
