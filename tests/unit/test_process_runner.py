"""The process runner among fakes: each test is one thing that has gone wrong, or must not."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import datetime, time, timedelta

import pytest
from runner_fakes import WRITES, Behaviour, Fault
from runner_world import RENEW_S, TTL_S, Daemon, World

from daemon.process_runner import NotAllowed, ProcessRunner
from trading.control.due_slot import DueSlot, SlotOutcome
from trading.control.process_run import Kind, ProcessRun, RunState
from trading.control.process_state import ProcessState
from trading.errors import ConcurrentUpdate
from trading.process_config import CatchUp, OnLost, ProcessConfig, ProcessKind, WindowConfig

EACH_MINUTE = ProcessConfig(cron="* * * * *", timeout=300, grace=5)
SELDOM = ProcessConfig(cron="0 0 1 1 *", timeout=300, grace=5)
A_WORLD = Callable[..., World]


@pytest.fixture
def a_world() -> Iterator[A_WORLD]:
    """Worlds in which one daemon leads already; they end with the test."""
    worlds: list[World] = []

    def made(**processes: ProcessConfig) -> World:
        world = World(processes, resources={"db": 1})
        worlds.append(world)
        world.start_daemon()
        world.advance(1)
        return world

    yield made
    for world in worlds:
        world.close()


def to_the_minute(world: World, before_s: float = 0.0) -> None:
    """Until it is :00, or a little before."""
    left_s = 60 - world.wall.second - world.wall.microsecond / 1e6
    world.advance(left_s - before_s)


def states(world: World, process: str) -> list[RunState]:
    return [run.state for run in reversed(world.processes.runs(process))]


def by_hand(world: World, key: str) -> DueSlot:
    return DueSlot(key=key, kind=Kind.MANUAL, due=world.wall, not_before=world.wall, trading_day="2026-03-02")


def start(world: World, process: str, key: str = "by-hand", *, force: bool = False) -> object:
    slot = by_hand(world, key)

    async def run(runner: ProcessRunner) -> ProcessRun:
        return await runner.run_single_process(process, slot, force)

    return world.ask(run)


def the_leader(world: World) -> Daemon:
    assert world.leader is not None
    return world.leader


# --- an ordinary day ------------------------------------------------------------------------------------------


def test_a_slot_that_is_due_runs_once(a_world: A_WORLD) -> None:
    world = a_world(job=EACH_MINUTE)
    to_the_minute(world)
    world.advance(30)
    assert states(world, "job") == [RunState.FINISHED]
    assert [(body.slot, body.attempt) for body in world.bodies] == [("2026-03-02T20:01:00Z", 1)]


def test_a_failed_run_is_tried_again_under_the_next_attempt(a_world: A_WORLD) -> None:
    world = a_world(job=EACH_MINUTE.model_copy(update={"cron": "*/10 * * * *", "max_attempts": 2, "retry_delay": 20}))
    world.behaviours["job"] = Behaviour(code=1)
    world.advance(10 * 60)
    world.advance(60)
    assert [(body.slot, body.attempt) for body in world.bodies] == [("2026-03-02T20:10:00Z", 1),
                                                                    ("2026-03-02T20:10:00Z", 2)]
    assert world.processes.control("job").state is ProcessState.FINISHED


def test_a_worker_that_ignores_the_request_to_stop_is_killed_after_its_grace(a_world: A_WORLD) -> None:
    world = a_world(job=SELDOM)
    world.behaviours["job"] = Behaviour(works_s=1000, obeys=False)
    start(world, "job")
    world.advance(2)
    world.ask(lambda runner: runner.desk.stop_process("job", "enough", "anna"))
    world.advance(4)
    assert states(world, "job") == [RunState.RUNNING]
    world.advance(2)
    assert states(world, "job") == [RunState.TERMINATED]


@pytest.mark.parametrize(("code", "times"), [(-9, 1), (-11, 1), (1, 0), (0, 0)])
def test_what_a_killed_worker_was_writing_is_let_go_at_once(a_world: A_WORLD, monkeypatch: pytest.MonkeyPatch,
                                                            code: int, times: int) -> None:
    world, let_go = a_world(job=SELDOM), []
    monkeypatch.setattr(world.processes, "end_transactions", lambda: let_go.append(world.wall))
    world.behaviours["job"] = Behaviour(code=code)
    start(world, "job")
    world.advance(15)
    assert not world.processes.runs("job")[0].active
    assert len(let_go) == times


def test_a_paused_process_leaves_its_slots_out_and_says_so(a_world: A_WORLD) -> None:
    world = a_world(job=EACH_MINUTE)
    world.ask(lambda runner: runner.desk.pause_process("job", "holiday"))
    world.advance(60)
    assert [(tick.outcome, tick.reason) for tick in world.processes.ticks("job")] == [
        (SlotOutcome.SKIPPED, "paused: holiday")]


def test_a_terminated_process_starts_again_by_force_only(a_world: A_WORLD) -> None:
    world = a_world(job=SELDOM)
    start(world, "job")
    world.advance(3)
    world.ask(lambda runner: runner.desk.kill_process("job", "runaway", "anna"))
    refusal = start(world, "job", "again")
    assert isinstance(refusal, NotAllowed)
    assert str(refusal) == "job was not started: it is TERMINATED; tradectl reset lets it run again."
    assert isinstance(start(world, "job", "forced", force=True), ProcessRun)


def a_service(cron: str = "* * * * *") -> ProcessConfig:
    hours = WindowConfig(start=time(0), stop=time(23, 59))
    return ProcessConfig(cron=cron, kind=ProcessKind.SERVICE, window=(hours,), timeout=86_400, grace=5)


def test_a_service_that_works_leaves_no_word_about_the_slots_that_come_meanwhile(a_world: A_WORLD) -> None:
    world = a_world(job=a_service())
    world.behaviours["job"] = Behaviour(works_s=150)
    to_the_minute(world)
    world.advance(130)
    assert states(world, "job") == [RunState.RUNNING]
    assert world.processes.ticks("job") == []
    world.advance(60)
    assert states(world, "job") == [RunState.FINISHED, RunState.RUNNING]


def test_a_service_that_waits_does_so_for_its_first_slot_and_says_nothing_of_the_others(a_world: A_WORLD) -> None:
    # given a service that needs what another process holds
    world = a_world(job=a_service().model_copy(update={"resources": {"db": 1}}),
                    holder=SELDOM.model_copy(update={"resources": {"db": 1}, "timeout": 1000}))
    world.behaviours["holder"] = Behaviour(works_s=200)
    start(world, "holder")
    to_the_minute(world)
    first = f"{world.wall:%Y-%m-%dT%H:%M:00Z}"

    # when some of its slots come before that is free
    world.advance(220)

    # then the first of them has run, and no other is told of
    assert [body.slot for body in world.bodies if body.process == "job"] == [first]
    assert world.processes.ticks("job") == []


def test_a_service_that_is_paused_stops_and_goes_on_when_it_is_resumed(a_world: A_WORLD) -> None:
    # given a service at work
    world = a_world(job=a_service())
    world.behaviours["job"] = Behaviour(works_s=10_000)
    to_the_minute(world)
    world.advance(5)
    assert states(world, "job") == [RunState.RUNNING]

    # when a person pauses it, then it ends and says who wanted that
    world.ask(lambda runner: runner.desk.pause_process("job", "holiday", "anna"))
    world.advance(65)
    [run] = world.processes.runs("job")
    assert (run.state, run.reason) == (RunState.STOPPED, "paused: holiday")

    # and begins again when he resumes it
    world.ask(lambda runner: runner.desk.resume_process("job", "over", "anna"))
    world.advance(60)
    assert states(world, "job") == [RunState.STOPPED, RunState.RUNNING]


def test_a_drain_stops_services_and_lets_everything_else_work_to_its_end(a_world: A_WORLD) -> None:
    world = a_world(job=a_service(), batch=EACH_MINUTE)
    world.behaviours = {"job": Behaviour(works_s=10_000), "batch": Behaviour(works_s=20)}
    to_the_minute(world)
    world.advance(5)

    async def drain(runner: ProcessRunner) -> None:
        runner.hold("drain", "maintenance")
        await runner.desk.stop_services("drained: maintenance", "anna")

    world.ask(drain)
    world.advance(90)
    assert [(run.state, run.reason) for run in world.processes.runs("job")] == [
        (RunState.STOPPED, "drained: maintenance")]
    assert states(world, "batch") == [RunState.FINISHED]


def test_a_batch_job_that_is_paused_does_its_work_to_the_end(a_world: A_WORLD) -> None:
    world = a_world(job=SELDOM)
    start(world, "job")
    world.advance(2)
    world.ask(lambda runner: runner.desk.pause_process("job", "holiday"))
    world.advance(30)
    assert states(world, "job") == [RunState.FINISHED]


# --- statements without an answer -----------------------------------------------------------------------------


@pytest.mark.parametrize(("fault", "attempts"), [
    (Fault.NOT_APPLIED, 1), (Fault.NO_ANSWER, 1), (Fault.FREEZE_BEFORE, 1), (Fault.FREEZE_AFTER, 1)])
def test_a_claim_without_an_answer_is_never_made_twice(a_world: A_WORLD, fault: Fault, attempts: int) -> None:
    world = a_world(job=EACH_MINUTE)
    daemon = the_leader(world)
    daemon.order(WRITES, 0, fault)
    to_the_minute(world)
    world.advance(3)
    if daemon.is_frozen:
        daemon.thaw()
    world.advance(30)
    assert [(body.slot, body.attempt) for body in world.bodies] == [("2026-03-02T20:01:00Z", attempts)]


@pytest.mark.parametrize("fault", [Fault.CRASH_BEFORE, Fault.CRASH_AFTER])
def test_a_daemon_that_dies_at_its_claim_leaves_the_slot_to_the_next_one(a_world: A_WORLD, fault: Fault) -> None:
    world = a_world(job=EACH_MINUTE)
    the_leader(world).order(WRITES, 0, fault)
    to_the_minute(world)
    world.start_daemon()
    world.advance(30)
    assert [body.slot for body in world.bodies] == ["2026-03-02T20:01:00Z"]


def test_a_claim_whose_answer_is_lost_keeps_its_resource(a_world: A_WORLD) -> None:
    # given two processes that share one database connection, due at the same time
    sharing = {"resources": {"db": 1}}
    world = a_world(one=EACH_MINUTE.model_copy(update=sharing), other=EACH_MINUTE.model_copy(update=sharing))
    # when the claim of the first is applied, but its answer is lost
    for name in ("one", "other"):
        world.behaviours[name] = Behaviour(works_s=40)
    the_leader(world).order(WRITES, 0, Fault.NO_ANSWER)
    to_the_minute(world)
    # then the second waits until the first has ended
    world.advance(20)
    assert len(world.bodies) == 1
    assert len(world.processes.active_runs()) == 1


def test_a_run_that_was_asked_for_starts_although_the_answer_was_lost(a_world: A_WORLD) -> None:
    world = a_world(job=SELDOM)
    the_leader(world).order(WRITES, 0, Fault.NO_ANSWER)
    start(world, "job")
    world.advance(30)
    assert states(world, "job") == [RunState.FINISHED]


# --- leadership -----------------------------------------------------------------------------------------------


def test_a_slot_that_comes_while_the_lease_is_in_doubt_runs_once_it_is_not(a_world: A_WORLD) -> None:
    # given renewals that fail for so long that this daemon no longer trusts its lease, which nobody else takes
    world = a_world(job=EACH_MINUTE)
    to_the_minute(world, before_s=9)
    daemon = the_leader(world)
    token = daemon.leadership.token
    daemon.tends_at_s = world.mono_s
    world.advance(0.5)
    daemon.lease_cut_until_s = world.mono_s + TTL_S - 1.0
    daemon.tends_at_s = world.mono_s + TTL_S - 0.9
    # when the slot comes in that time, and the lease is renewed before it expires
    world.advance(8.6)
    assert not daemon.leadership.is_leader
    world.advance(RENEW_S + 5)
    # then
    assert daemon.leadership.token == token
    assert [body.slot for body in world.bodies] == ["2026-03-02T20:01:00Z"]


def test_the_write_of_a_frozen_leader_is_refused(a_world: A_WORLD) -> None:
    world = a_world(job=EACH_MINUTE)
    frozen = the_leader(world)
    frozen.order(WRITES, 0, Fault.FREEZE_BEFORE)
    world.start_daemon()
    to_the_minute(world)
    world.advance(TTL_S + 5)
    frozen.thaw()
    world.advance(20)
    assert [(body.slot, body.token) for body in world.bodies] == [("2026-03-02T20:01:00Z", 2)]
    assert not frozen.leads


async def begin_term_after(turns: int, runner: ProcessRunner) -> None:
    for _ in range(turns):
        await asyncio.sleep(0)
    runner.new_term()


@pytest.mark.parametrize("turns", range(14))
def test_a_claim_on_whose_way_a_new_term_begins_is_not_mistaken(a_world: A_WORLD, turns: int) -> None:
    for seed in range(8):  # each deals out the turns differently
        # given a run that somebody asks for
        world = a_world(job=SELDOM)
        world.random.seed(seed)

        # when a new term begins some steps later
        world.spawn(begin_term_after(turns, the_leader(world).runner))
        answer = start(world, "job")
        world.advance(5)

        # then it is either refused, so that it can be asked for again, or runs; once in either case
        if isinstance(answer, (NotAllowed, ConcurrentUpdate)):
            assert world.bodies == []
            start(world, "job")
        world.advance(30)
        assert world.problems == []
        assert [body.slot for body in world.bodies] == ["by-hand"]


def test_a_run_that_ends_under_another_daemon_starts_what_follows_it(a_world: A_WORLD) -> None:
    # given a run under a leader that was frozen long enough to lose its lease
    world = a_world(job=SELDOM, next=ProcessConfig(on_success_of="job", timeout=60))
    start(world, "job")
    world.behaviours["job"] = Behaviour()
    first = the_leader(world)
    world.workers[-1].behaviour = Behaviour(works_s=40)
    world.advance(2)
    first.freeze()
    world.start_daemon()
    # when it ends while the second one leads
    world.advance(90)
    # then
    assert states(world, "job") == [RunState.FINISHED]
    assert states(world, "next") == [RunState.FINISHED]


def test_a_last_word_that_comes_at_the_last_moment_is_heard(a_world: A_WORLD) -> None:
    # given a run under a frozen leader, and another daemon that has just read it
    world = a_world(job=SELDOM)
    world.behaviours["job"] = Behaviour(works_s=200)
    start(world, "job")
    world.advance(2)
    the_leader(world).freeze()
    second = world.start_daemon()
    world.advance(20)
    worker = world.workers[-1]

    def end() -> None:
        if worker.alive:
            world.processes.say_end(worker.spec.run, 0)
            worker.exit(0)

    # when its worker says how it ends and ends, between that reading and the look at its process
    is_alive = world.is_alive
    world.is_alive = lambda host, one: (end(), is_alive(host, one))[1]  # type: ignore[method-assign]
    world.advance(10)
    # then
    assert second.leads
    assert states(world, "job") == [RunState.FINISHED]


# --- what waits for what --------------------------------------------------------------------------------------


def test_who_waits_for_another_process_does_not_keep_a_resource_from_it(a_world: A_WORLD) -> None:
    # given a process that goes first where a resource is short, and runs after one that needs the same resource
    world = a_world(
        later=EACH_MINUTE.model_copy(update={"resources": {"db": 1}, "priority": 9, "after": ("earlier",)}),
        earlier=EACH_MINUTE.model_copy(update={"resources": {"db": 1}}))
    # when both are due
    world.advance(55)
    # then neither waits for ever
    assert [body.process for body in world.bodies] == ["earlier", "later"]


# --- clocks and edits -----------------------------------------------------------------------------------------


def test_an_edit_after_the_clock_was_set_back_decides_no_slot_again(a_world: A_WORLD) -> None:
    world = a_world(job=EACH_MINUTE)
    world.advance(300)
    ran = [body.slot for body in world.bodies]
    world.step_clock(timedelta(minutes=-4))
    world.edit({"job": EACH_MINUTE.model_copy(update={"cron": "*/2 * * * *"})})
    through: datetime | None = world.processes.control("job").evaluated_through
    world.advance(120)
    assert [body.slot for body in world.bodies] == ran
    assert through is not None
    assert through > world.wall


@pytest.mark.parametrize(("catchup", "expected"), [
    (CatchUp.NONE, ["2026-03-02T21:00:00Z"]), (CatchUp.LATEST, ["2026-03-02T21:00:00Z"]),
    (CatchUp.ALL, ["2026-03-02T20:20:00Z", "2026-03-02T20:40:00Z", "2026-03-02T21:00:00Z"])])
def test_a_clock_that_is_set_forward_makes_slots_late(a_world: A_WORLD, catchup: CatchUp, expected: list[str]) -> None:
    world = a_world(job=EACH_MINUTE.model_copy(update={"cron": "*/20 * * * *", "catchup": catchup}))
    world.step_clock(timedelta(hours=1))
    world.advance(120)
    assert [body.slot for body in world.bodies] == expected


# --- lost runs ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("on_lost", "bodies"), [(OnLost.HOLD, 1), (OnLost.RETRY, 2)])
def test_a_run_that_died_with_its_daemon_is_repeated_only_where_that_is_harmless(
        a_world: A_WORLD, on_lost: OnLost, bodies: int) -> None:
    world = a_world(job=EACH_MINUTE.model_copy(update={"cron": "*/20 * * * *", "on_lost": on_lost}))
    world.behaviours["job"] = Behaviour(works_s=60)
    world.advance(20 * 60)
    world.orphans_live_s = 20.0
    the_leader(world).kill()
    world.start_daemon()
    world.advance(60)
    assert len(world.bodies) == bodies
    assert states(world, "job")[0] is RunState.LOST


def test_a_lost_run_can_be_resolved_after_a_reset(a_world: A_WORLD) -> None:
    world = a_world(job=SELDOM)
    start(world, "job")
    world.advance(3)
    the_leader(world).kill()
    world.start_daemon()
    world.advance(1)
    world.ask(lambda runner: runner.desk.reset_process("job", "afresh"))
    lost = world.processes.runs("job")[0].id
    answer = world.ask(lambda runner: runner.desk.resolve(lost, RunState.FINISHED, "it did its work", "anna"))
    assert isinstance(answer, ProcessRun)
    assert states(world, "job") == [RunState.FINISHED]


def test_a_worker_that_lost_its_claim_does_nothing(a_world: A_WORLD) -> None:
    world = a_world(job=SELDOM)
    world.behaviours["job"] = Behaviour(takes_after_s=20)
    start(world, "job")
    the_leader(world).freeze()
    world.start_daemon()
    world.advance(40)
    assert world.bodies == []
    assert states(world, "job") == [RunState.CANCELLED]


# --- the end of the service -----------------------------------------------------------------------------------


@pytest.mark.parametrize("turns", range(12))
def test_what_was_being_claimed_when_the_service_was_asked_to_stop_is_waited_for(a_world: A_WORLD, turns: int) -> None:
    # given a process whose slot is about to come
    world = a_world(job=EACH_MINUTE)
    to_the_minute(world, before_s=0.001)
    runner, at_rest = the_leader(world).runner, []

    async def stop_in_the_middle_of_a_look() -> None:
        world.wall += timedelta(seconds=1)
        runner.wake("job")
        for _ in range(turns):
            await asyncio.sleep(0)
        await runner.drain(lambda _: None)
        at_rest.append(world.processes.runs("job"))

    # when the service is asked to stop some steps behind the begin of that look
    world.spawn(stop_in_the_middle_of_a_look())
    world.advance(40)

    # then either nothing had begun, or its end has been waited for
    [runs] = at_rest
    assert [run.id for run in runs if run.active] == []
    assert world.processes.runs("job") == runs
    assert world.problems == []


def test_a_claim_without_an_answer_is_withdrawn_when_the_service_stops_before_it_looks_again(a_world: A_WORLD) -> None:
    # given a slot that was claimed, while the store's answer was lost
    world = a_world(job=EACH_MINUTE)
    to_the_minute(world, before_s=0.5)
    the_leader(world).order({"write"}, 0, Fault.NO_ANSWER)
    world.advance(1)
    assert states(world, "job") == [RunState.STARTING]

    # when the service is asked to stop at once
    world.spawn(the_leader(world).runner.drain(lambda _: None))
    world.advance(5)

    # then nothing ran, and nothing says that it does
    assert states(world, "job") == [RunState.CANCELLED]
    assert world.bodies == []
    assert world.processes.control("job").active_run is None
    assert world.problems == []
