"""An end is what it was when it happened, however late the store hears of it."""

from contextlib import suppress

from runner_fakes import Behaviour
from runner_world import World

from daemon.process_runner import ProcessRunner
from trading.control.due_slot import DueSlot
from trading.control.process_run import Kind, ProcessRun, RunState
from trading.errors import StoreError
from trading.process_config import ProcessConfig


def test_a_run_that_had_finished_before_it_was_asked_to_stop_is_finished() -> None:
    world = World({"report": ProcessConfig(cron="0 0 1 1 *", timeout=300, grace=5)})
    try:
        # given a run that does its work and ends while the store is away
        runner = _with_a_report_at_work(world)
        world.store_is_away = True
        world.advance(20)
        assert [worker.alive for worker in world.workers] == [False]

        # when it is asked to stop after that, and then the store answers again
        world.spawn(_stop(runner))
        world.advance(10)
        world.store_is_away = False
        world.advance(30)

        # then
        assert [run.state for run in world.processes.runs("report")] == [RunState.FINISHED]
        assert world.problems == []
    finally:
        world.close()


def _with_a_report_at_work(world: World) -> ProcessRunner:
    world.behaviours["report"] = Behaviour(works_s=10)
    daemon = world.start_daemon()
    world.advance(1)
    slot = DueSlot(key="by-hand", kind=Kind.MANUAL, due=world.wall, not_before=world.wall, trading_day="2026-03-02")

    async def start(runner: ProcessRunner) -> ProcessRun:
        return await runner.run_single_process("report", slot)

    world.ask(start)
    world.advance(3)
    assert daemon.runner is not None
    return daemon.runner


async def _stop(runner: ProcessRunner) -> None:
    with suppress(StoreError):  # as it must be, while the store is away
        await runner.desk.stop_process("report", "too late", "operator")
