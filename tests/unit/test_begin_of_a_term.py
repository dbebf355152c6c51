"""A leader that leads again decides nothing before it has read what others did meanwhile."""

import pytest
from runner_fakes import Behaviour
from runner_world import TTL_S, World

from trading.process_config import CatchUp, ProcessConfig

SHARED = ProcessConfig(cron="* * * * *", timeout=3000, grace=5, resources={"db": 1}, catchup=CatchUp.LATEST)


@pytest.mark.parametrize("seed", range(10))
def test_a_resource_that_another_leader_has_taken_meanwhile_is_not_taken_a_second_time(seed: int) -> None:
    # given a leader that was frozen, and another one that started a long run meanwhile, which holds the resource
    world = World({"one": SHARED.model_copy(update={"priority": 1}), "other": SHARED}, seed=seed, resources={"db": 1})
    world.behaviours["one"] = Behaviour(works_s=2000)
    first, second = world.start_daemon("here"), world.start_daemon("there")
    world.advance(2)
    first.freeze()
    world.advance(45)
    assert [run.process for run in world.processes.active_runs()] == ["one"]

    # when that one freezes as well, and the first goes on and leads again
    second.freeze()
    world.advance(TTL_S + 1)
    first.thaw()
    world.advance(5)

    # then the other process waits for the resource
    assert world.leader is first
    assert [run.process for run in world.processes.active_runs()] == ["one"]
    assert world.problems == []
    world.close()


@pytest.mark.parametrize("rests_after_s", [0.0, 1.0, 3.0])
def test_a_leader_that_was_to_begin_a_term_and_no_longer_leads_does_not_begin_it_later(rests_after_s: float) -> None:
    # given a leader whose new term cannot begin, since the store does not answer
    world = World({"job": ProcessConfig(cron="* * * * *", timeout=300, grace=5)})
    runner = world.start_daemon().runner
    world.advance(1)
    world.store_is_away = True
    world.soon(runner.new_term)

    # when it no longer leads, and the store answers again
    world.advance(rests_after_s)
    world.soon(runner.rest)
    world.advance(1)
    world.store_is_away = False
    before = len(world.processes.fences)
    world.advance(5)

    # then the old term stays over
    assert len(world.processes.fences) == before
    assert not runner._acts
    world.close()
