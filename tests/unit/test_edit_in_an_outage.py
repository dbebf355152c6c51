"""An edit that comes while the store is away: what was due before it is decided by the schedule of that time."""

import pytest
from runner_world import World

from trading.process_config import CatchUp, ProcessConfig

EACH_MINUTE = ProcessConfig(cron="* * * * *", timeout=30, grace=5, catchup=CatchUp.ALL, misfire_grace=3600)
AT_NIGHT = EACH_MINUTE.model_copy(update={"cron": "0 4 * * *"})


@pytest.mark.parametrize("seed", range(5))
def test_the_slots_of_the_outage_are_those_of_the_old_schedule(seed: int) -> None:
    # given a job of every minute, and a store that goes away for less time than the lease lasts, over a minute's begin
    world = World({"job": EACH_MINUTE}, seed=seed)
    world.start_daemon()
    world.advance(59 - world.wall.second)
    before = len(world.processes.runs_kept)
    world.store_is_away = True
    world.advance(4)

    # when it becomes a job of the night, just before the store comes back
    world.edit({"job": AT_NIGHT})
    world.advance(1)
    world.store_is_away = False
    world.advance(200)

    # then that minute has run, and none after the edit
    assert len(world.processes.runs_kept) == before + 1
    assert world.leader is not None
    assert world.leader.runner is not None
    assert world.leader.runner.plan is world.plan
    assert world.problems == []
    world.close()


def test_of_two_edits_in_an_outage_the_newer_one_stays() -> None:
    world = World({"job": EACH_MINUTE})
    world.start_daemon()
    world.advance(59 - world.wall.second)
    world.store_is_away = True
    world.advance(3)
    world.edit({"job": AT_NIGHT})
    world.edit({"job": AT_NIGHT.model_copy(update={"cron": "0 5 * * *"})})
    world.store_is_away = False
    world.advance(60)
    assert world.leader is not None
    assert world.leader.runner is not None
    assert world.leader.runner.plan is world.plan
    world.close()


def test_a_job_that_is_removed_in_an_outage_runs_once_more_as_it_was_configured() -> None:
    world = World({"job": EACH_MINUTE, "other": AT_NIGHT})
    world.start_daemon()
    world.advance(59 - world.wall.second)
    before = len(world.processes.runs_kept)
    world.store_is_away = True
    world.advance(4)
    world.edit({"other": AT_NIGHT})
    world.store_is_away = False
    world.advance(200)
    assert len(world.processes.runs_kept) == before + 1
    assert world.problems == []
    world.close()
