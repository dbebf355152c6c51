"""The process runner in a world that goes wrong: whatever happens, in whatever order, its promises hold.

Two daemons over one store; statements fail, are not answered, or are a daemon's last; daemons freeze and go on; workers
vanish; clocks jump; operators interfere. scheduler.md 3.6 lists the promises, runner_checks.py states them.
"""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from runner_checks import Checks
from runner_fakes import WRITES, Behaviour, Fault, Worker
from runner_world import Daemon, World

from trading.control.process_run import RunState
from trading.process_config import CatchUp, OnLost, Overlap, ProcessConfig

pytestmark = pytest.mark.usefixtures("without_log_lines")
SPRING = datetime(2026, 3, 29, 0, 50, 30, 123_456, tzinfo=UTC)  # 01:00 UTC becomes 02:00 in London
AUTUMN = datetime(2026, 10, 25, 0, 20, 30, 123_456, tzinfo=UTC)  # 01:30 comes twice in London
PROCESSES = {
    "each_minute": ProcessConfig(cron="* * * * *", timeout=50, grace=5),
    "newest": ProcessConfig(cron="*/2 * * * *", timeout=100, grace=5, catchup=CatchUp.LATEST, resources={"db": 1}),
    "all_of_them": ProcessConfig(cron="*/2 * * * *", timeout=100, grace=5, catchup=CatchUp.ALL, catchup_max=3,
                                 overlap=Overlap.QUEUE_ONE, resources={"db": 1}, priority=1),
    "repeatable": ProcessConfig(cron="*/5 * * * *", timeout=100, grace=5, on_lost=OnLost.RETRY, max_attempts=3,
                                retry_delay=20),
    "behind": ProcessConfig(cron="*/4 * * * *", timeout=100, grace=5, after=("newest",), resources={"db": 1},
                            priority=2),
    "nightly": ProcessConfig(cron="30 1 * * *", timezone="Europe/London", timeout=100, grace=5,
                             catchup=CatchUp.LATEST),
    "follower": ProcessConfig(on_success_of="repeatable", timeout=100, grace=5),
}
NAMES = st.sampled_from(sorted(PROCESSES))
SPANS_S = st.sampled_from([1, 2, 3, 7, 20, 31, 60, 61, 120, 300, 900])


class RunnerMachine(RuleBasedStateMachine):
    """Each rule is something that happens; then all promises are checked."""

    @initialize(start=st.sampled_from([SPRING, AUTUMN]), seed=st.integers(0, 3), one_machine=st.booleans(),
                second=st.booleans())
    def begin(self, start: datetime, seed: int, one_machine: bool, second: bool) -> None:
        self.world = World(PROCESSES, start=start, seed=seed, resources={"db": 1}, zone="Europe/London")
        self.checks = Checks(self.world, "db", one_machine)
        self.hosts = ["here", "here" if one_machine else "there"]
        for host in self.hosts[:1 + second]:
            self.world.start_daemon(host)
        self.world.advance(1)

    # --- time -------------------------------------------------------------------------------------------------

    @rule(seconds=SPANS_S)
    def time_passes(self, seconds: int) -> None:
        self.world.advance(seconds)

    @rule(before_s=st.sampled_from([0, 1, 2, 5]))
    def the_next_minute_comes(self, before_s: int) -> None:
        """Just so, or almost."""
        left_s = 60 - self.world.wall.second - self.world.wall.microsecond / 1e6
        self.world.advance(max(left_s - before_s, 0.001))

    @rule(step_s=st.sampled_from([90, 3600, -600]))
    def the_clock_is_set(self, step_s: int) -> None:
        self.world.step_clock(timedelta(seconds=step_s))

    # --- faults -----------------------------------------------------------------------------------------------

    def _daemons(self) -> list[Daemon]:
        return [each for each in self.world.daemons if not each.is_dead]

    @rule(fault=st.sampled_from(Fault), on=st.sampled_from([WRITES, None]), skip=st.integers(0, 4))
    def a_statement_will_go_wrong(self, fault: Fault, on: frozenset[str] | None, skip: int) -> None:
        daemon = self.world.leader or next(iter(self._daemons()), None)
        if daemon is not None:
            daemon.order(on, skip, fault)

    @rule(seconds=st.sampled_from([1, 5, 9, 12, 45]))
    def the_store_is_away(self, seconds: int) -> None:
        self.world.store_is_away = True
        self.world.advance(seconds)
        self.world.store_is_away = False

    @rule(seconds=st.sampled_from([3, 6, 9, 12, 40]))
    def the_lease_is_not_renewed(self, seconds: int) -> None:
        if self.world.leader is not None:
            self.world.leader.lease_cut_until_s = self.world.mono_s + seconds

    @precondition(lambda self: self.world.leader is not None)
    @rule(orphans_live_s=st.sampled_from([0.0, 0.0, 3.0, 20.0]))
    def the_leader_is_killed(self, orphans_live_s: float) -> None:
        self.world.orphans_live_s = orphans_live_s
        self.world.leader.kill()
        self.world.settle()

    @precondition(lambda self: self.world.leader is not None)
    @rule()
    def the_leader_freezes(self) -> None:
        self.world.leader.freeze()

    @rule()
    def frozen_daemons_go_on(self) -> None:
        for daemon in self.world.daemons:
            if daemon.is_frozen and not daemon.is_dead:
                daemon.thaw()
        self.world.settle()

    @precondition(lambda self: len(self._daemons()) < 2)
    @rule()
    def a_daemon_is_started(self) -> None:
        taken = [each.host for each in self._daemons()]
        host = next((each for each in self.hosts if each not in taken), self.hosts[0])
        self.world.start_daemon(host)

    # --- workers ----------------------------------------------------------------------------------------------

    @rule(name=NAMES, takes=st.sampled_from([0.5, 4.0, 29.5, 31.0]), hears=st.booleans(),
          works=st.sampled_from([0.5, 10.0, 70.0, 1000.0]), code=st.sampled_from([0, 0, 1, 78, -11]),
          says=st.booleans(), obeys=st.booleans())
    def the_next_worker_will(self, name: str, takes: float, hears: bool, works: float, code: int, says: bool,
                             obeys: bool) -> None:
        self.world.behaviours[name] = Behaviour(takes_after_s=takes, hears_answer=hears, works_s=works, code=code,
                                                says_end=says, obeys=obeys)

    def _workers(self) -> list[Worker]:
        return [each for each in self.world.workers if each.alive]

    @precondition(lambda self: self._workers())
    @rule(number=st.integers(0, 5), code=st.sampled_from([0, 1, -9]))
    def a_worker_ends(self, number: int, code: int) -> None:
        workers = self._workers()
        workers[number % len(workers)].exit(code)
        self.world.settle()

    # --- people -----------------------------------------------------------------------------------------------

    @rule(name=NAMES, verb=st.sampled_from(["stop", "kill", "pause", "resume", "reset"]))
    def an_operator_says(self, name: str, verb: str) -> None:
        self.world.operator_says(name, verb)

    @rule(name=NAMES, force=st.booleans())
    def an_operator_runs(self, name: str, force: bool) -> None:
        self.world.operator_runs(name, force)

    @rule(state=st.sampled_from([RunState.FINISHED, RunState.ERROR]))
    def an_operator_resolves(self, state: RunState) -> None:
        lost = next((row["_id"] for row in self.world.processes.runs_kept.values() if row["state"] == "LOST"), None)
        if lost is not None:
            self.world.ask(lambda runner: runner.desk.resolve(lost, state, "looked at", "operator"))

    @precondition(lambda self: self.world.leader is not None)
    @rule(name=st.sampled_from(["each_minute", "newest"]), cron=st.sampled_from(["* * * * *", "*/2 * * * *"]))
    def the_schedule_is_edited(self, name: str, cron: str) -> None:
        process = self.world.plan.processes[name].model_copy(update={"cron": cron})
        self.world.edit({**self.world.plan.processes, name: process})

    # --- promises ---------------------------------------------------------------------------------------------

    @invariant()
    def promises_hold(self) -> None:
        self.checks.after_a_step()

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        try:
            self.world.heal(self.hosts[0])
            self.checks.after_a_step()
            self.checks.at_rest()
        finally:
            self.world.close()


USUAL = settings(max_examples=60, stateful_step_count=50, deadline=None, print_blob=True,
                 suppress_health_check=list(HealthCheck))


class TestRunner(RunnerMachine.TestCase):
    settings = USUAL


@pytest.mark.soak
class TestRunnerForLong(RunnerMachine.TestCase):
    settings = settings(USUAL, max_examples=5000, stateful_step_count=80)
