"""A month in the life of the process runner: twelve processes, two nodes, and at random moments whatever goes wrong.

Everything is dealt by one seed, so that a month can be had again. Each day ends with rest: all faults are healed, and
whatever was due must have its outcome. runner_world.py is the world, runner_checks.py states the promises.
"""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from runner_checks import Checks
from runner_fakes import WRITES, Behaviour, Fault
from runner_world import TTL_S, Daemon, World

from trading.control.process_control import Desired
from trading.control.process_run import RunState
from trading.control.process_state import ProcessState
from trading.process_config import CatchUp, OnLost, OnWindowEnd, Overlap, ProcessConfig, ProcessKind, WindowConfig

MARCH = datetime(2026, 3, 7, 12, 0, 20, 123_456, tzinfo=UTC)  # New York, London and Lord Howe change within the month
DAY_S, STEP_S = 86_400, 20.0
HOSTS = {True: ("here", "here"), False: ("here", "there")}


def window(start: str, stop: str) -> WindowConfig:
    return WindowConfig.model_validate({"start": start, "stop": stop})


PROCESSES = {
    "hourly": ProcessConfig(cron="7 * * * *", timeout=120, grace=5),
    "newest": ProcessConfig(cron="*/30 * * * *", timeout=200, grace=5, catchup=CatchUp.LATEST, resources={"db": 1}),
    "all_of_them": ProcessConfig(cron="10 */2 * * *", timeout=200, grace=5, catchup=CatchUp.ALL, catchup_max=4,
                                 overlap=Overlap.QUEUE_ALL, resources={"db": 1}, priority=1),
    "repeatable": ProcessConfig(every=2700, timeout=200, grace=5, on_lost=OnLost.RETRY, max_attempts=3, retry_delay=20,
                                overlap=Overlap.QUEUE_ALL),
    "follower": ProcessConfig(on_success_of="repeatable", timeout=100, grace=5),
    "behind": ProcessConfig(cron="31 */3 * * *", timeout=100, grace=5, after=("newest",), resources={"db": 1},
                            priority=2, deadline=1200),
    "nightly": ProcessConfig(cron="30 1 * * *", timezone="Europe/London", timeout=100, grace=5,
                             catchup=CatchUp.LATEST, max_attempts=2, retry_delay=60),
    "island": ProcessConfig(cron="15 2 * * *", timezone="Australia/Lord_Howe", timeout=100, grace=5,
                            catchup=CatchUp.ALL, on_lost=OnLost.RETRY),
    "session": ProcessConfig(every=900, timezone="America/New_York", window=(window("14:00", "16:00"),), timeout=600,
                             grace=5, on_window_end=OnWindowEnd.STOP, overlap=Overlap.QUEUE_ONE),
    "midnight": ProcessConfig(every=1800, timezone="Europe/London", window=(window("22:00", "02:00"),), timeout=1500,
                              grace=5, overlap=Overlap.TERMINATE_OLD),
    "service": ProcessConfig(cron="0 8 * * *", timezone="Europe/London", window=(window("08:00", "12:00"),),
                             kind=ProcessKind.SERVICE, timeout=5 * 3600, grace=20),
    "again": ProcessConfig(after_finish=2400, timeout=200, grace=5),
}
NAMES = sorted(PROCESSES)


class PatientWorld(World):
    """Does not play each renewal of the lease while nothing else happens: it lets such a time pass at once."""

    def advance(self, seconds: float) -> None:
        end_s = self.mono_s + seconds
        self.settle()
        while self.mono_s < end_s:
            quiet_s = self._quiet_s(end_s)
            if quiet_s > 1:
                self._pass_at_once(quiet_s)
            else:
                super().advance(min(STEP_S, end_s - self.mono_s))

    def _quiet_s(self, end_s: float) -> float:
        """How long nothing will happen but renewals, less a margin."""
        leader = self.leader
        if leader is None or self.store_is_away or self.mono_s < leader.lease_cut_until_s + TTL_S:
            return 0.0
        if any(worker.alive for worker in self.workers):
            return 0.0
        return min(end_s, *(each.timers.next_s for each in self.daemons if each.acts)) - self.mono_s - TTL_S

    def _pass_at_once(self, seconds: float) -> None:
        assert self.leader is not None
        self.leader.leadership.leads_until_s += seconds
        self.wall += timedelta(seconds=seconds)
        self.mono_s += seconds
        self._lease_until_s += seconds
        for daemon in self.daemons:
            daemon.tends_at_s += seconds


class MonthChecks(Checks):
    """The same promises; bodies are compared with those that began within the last day, which is all that can overlap
    or be tried again."""

    def _bodies(self) -> None:
        bodies = self.world.bodies
        for number, body in enumerate(bodies[self._known_bodies:], self._known_bodies):
            for other in bodies[max(number - 400, 0):number]:
                self._may_both_have_run(other, body)
        self._known_bodies = len(bodies)


@dataclass
class Month:
    """Plays days; `happened` counts what went wrong."""

    seed: int
    one_machine: bool
    faults_a_day: int = 30
    happened: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)
        self.hosts = HOSTS[self.one_machine]
        self.world = PatientWorld(PROCESSES, start=MARCH, seed=self.seed, resources={"db": 1}, zone="Europe/London")
        self.checks = MonthChecks(self.world, "db", self.one_machine)
        self._graves: list[Daemon] = []  # what a dead daemon was about to do stays undone, and is kept so
        for host in self.hosts:
            self.world.start_daemon(host)
        self.world.advance(1)
        self.began_s = self.world.mono_s

    def play(self, days: int) -> None:
        """Day after day, each with its faults and then a rest in which all that is due must come to its end."""
        faults = self._faults()
        for _ in range(days):
            self._morning_round()
            for _ in range(self.faults_a_day):
                self.world.advance(self._moment_s())
                [what] = self.dice.choices(list(faults), weights=[weight for weight, _ in faults.values()])
                faults[what][1]()
                self.happened[what] += 1
                self._check()
            self._rest()

    @property
    def days(self) -> float:
        """That have passed by the clock that nobody sets."""
        return (self.world.mono_s - self.began_s) / DAY_S

    def close(self) -> None:
        self.world.close()

    # --- the course of a day ----------------------------------------------------------------------------------

    def _moment_s(self) -> float:
        """Until the next fault: often while something that was due is being claimed or runs, else some while."""
        if self.dice.random() < 0.5:
            return self.dice.uniform(0, 4 * DAY_S / self.faults_a_day)
        due_s = min(each.timers.next_s for each in self.world.daemons) - self.world.mono_s
        behind_s = self.dice.choice([-0.5, 0.001, 0.9, 1.1, 2.5, 6.0, 11.0, 12.5])
        return max(due_s + behind_s, 0.0) if due_s < DAY_S else self.dice.uniform(0, 5)

    def _check(self) -> None:
        self.checks.after_a_step()
        self.world.workers = [each for each in self.world.workers if each.alive]
        dead = [each for each in self.world.daemons if each.is_dead]
        self._graves += dead
        self.world.daemons = self._alive() or dead[-1:]

    def _rest(self) -> None:
        self.world.heal(self.dice.choice(self.hosts))
        if not self._alive():  # a fault that a frozen daemon still had before it
            self.world.heal(self.hosts[0])
        for _ in range(6 * 60):  # what runs may go on until its time is up
            if not self.world.processes.active_runs():
                break
            self.world.advance(60)
        self._check()
        self.checks.at_rest()

    def _morning_round(self) -> None:
        """The operator puts right what waits for a person."""
        for name in NAMES:
            control = self.world.processes.control(name)
            if control.desired is Desired.PAUSED:
                self.world.operator_says(name, "resume")
            if control.state is ProcessState.TERMINATED:
                self.world.operator_says(name, "reset")
        self._start_missing()

    # --- what goes wrong --------------------------------------------------------------------------------------

    def _faults(self) -> dict[str, tuple[int, Callable[[], None]]]:
        """How often each is dealt, and what it does."""
        return {
            "a statement goes wrong": (10, self._statement), "the store is away": (3, self._store_away),
            "the lease is not renewed": (3, self._lease_cut), "the leader is killed": (4, self._kill_leader),
            "the leader freezes": (3, self._freeze_leader), "frozen ones go on": (3, self._thaw),
            "a daemon is started": (6, self._start_missing), "a worker misbehaves": (8, self._behaviour),
            "a worker dies": (4, self._kill_worker), "the clock is set": (1, self._step_clock),
            "an operator acts": (3, self._operator), "an operator runs": (1, self._manual_run),
            "a lost run is resolved": (2, self._resolve), "the schedule is edited": (1, self._edit),
        }

    def _alive(self) -> list[Daemon]:
        return [each for each in self.world.daemons if not each.is_dead]

    def _statement(self) -> None:
        daemon = self.world.leader or next(iter(self._alive()), None)
        if daemon is not None:
            fault = self.dice.choice(list(Fault))
            daemon.order(self.dice.choice([WRITES, None]), self.dice.randrange(4), fault)
            self.happened[f"a statement {fault}"] += 1

    def _store_away(self) -> None:
        self.world.store_is_away = True
        self.world.advance(self.dice.choice([1, 5, 9, 12, 45, 600]))
        self.world.store_is_away = False

    def _lease_cut(self) -> None:
        if self.world.leader is not None:
            self.world.leader.lease_cut_until_s = self.world.mono_s + self.dice.choice([3, 6, 9, 12, 40, 400])

    def _kill_leader(self) -> None:
        if self.dice.random() < 0.6:  # under a body
            due_s = min(each.timers.next_s for each in self.world.daemons) - self.world.mono_s
            self.world.advance(max(due_s, 0.0) + 4 if due_s < DAY_S else 1)
        if self.world.leader is not None:
            self.world.orphans_live_s = self.dice.choice([0.0, 0.0, 3.0, 20.0])
            self.world.leader.kill()
            self.world.settle()
            if self.dice.random() < 0.7:
                self.world.advance(self.dice.choice([1, 5]))
                self._start_missing()

    def _freeze_leader(self) -> None:
        if self.world.leader is not None:
            self.world.leader.freeze()

    def _thaw(self) -> None:
        for daemon in self._alive():
            if daemon.is_frozen:
                daemon.thaw()
        self.world.settle()

    def _start_missing(self) -> None:
        taken = [each.host for each in self._alive()]
        if len(taken) < 2:
            self.world.start_daemon(next((each for each in self.hosts if each not in taken), self.hosts[0]))

    def _behaviour(self) -> None:
        for name in self.dice.sample(NAMES, 4):
            self.world.behaviours[name] = self._some_behaviour()

    def _some_behaviour(self) -> Behaviour:
        return Behaviour(
            takes_after_s=self.dice.choice([0.5, 4.0, 29.5, 31.0]), hears_answer=self.dice.random() < 0.7,
            works_s=self.dice.choice([0.5, 10.0, 70.0, 1000.0, 9000.0]), code=self.dice.choice([0, 0, 1, 1, 78, -11]),
            says_end=self.dice.random() < 0.7, obeys=self.dice.random() < 0.7)

    def _kill_worker(self) -> None:
        workers = [each for each in self.world.workers if each.alive]
        if workers:
            self.dice.choice(workers).exit(self.dice.choice([1, -9, -9]))
            self.world.settle()

    def _step_clock(self) -> None:
        self.world.step_clock(timedelta(seconds=self.dice.choice([90, 3600, 7300, -600, -4000])))

    # --- people -----------------------------------------------------------------------------------------------

    def _operator(self) -> None:
        name, verbs = self.dice.choice(NAMES), ["stop", "kill", "pause", "resume", "reset"]
        self.world.operator_says(name, self.dice.choice(verbs))

    def _manual_run(self) -> None:
        self.world.operator_runs(self.dice.choice(NAMES), self.dice.random() < 0.5)

    def _resolve(self) -> None:
        lost = [row["_id"] for row in self.world.processes.runs_kept.values() if row["state"] == RunState.LOST]
        if lost:
            run, state = self.dice.choice(lost), self.dice.choice([RunState.FINISHED, RunState.ERROR])
            self.world.ask(lambda runner: runner.desk.resolve(run, state, "looked at", "operator"))

    def _edit(self) -> None:
        if self.world.leader is not None:
            name, cron = self.dice.choice([("newest", "*/30 * * * *"), ("newest", "*/20 * * * *"),
                                           ("nightly", "30 1 * * *"), ("nightly", "45 1 * * *")])
            process = self.world.plan.processes[name].model_copy(update={"cron": cron})
            self.world.edit({**self.world.plan.processes, name: process})
