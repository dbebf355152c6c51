"""What the clocks do to each other between two looks, and that nothing is decided before it is known."""

from datetime import timedelta

import pytest
from runner_fakes import Behaviour, FakeClock
from runner_world import World

from daemon.clocks.clock_watch import ClockChange, ClockEvent, ClockWatch, Reading, compare, waits_until
from trading.process_config import ProcessConfig

DAY_S = 86_400.0


def reading(wall_s: float, monotonic_s: float, boottime_s: float) -> Reading:
    return Reading(wall_s=wall_s, monotonic_s=monotonic_s, boottime_s=boottime_s)


@pytest.mark.parametrize(("new", "event", "step_s"), [
    (reading(10, 10, 10), ClockEvent.NOTHING, 0),
    (reading(11.9, 10, 10), ClockEvent.NOTHING, 0),  # a leap second, a time server that slews
    (reading(3610, 10, 10), ClockEvent.STEPPED, 3600),
    (reading(-3590, 10, 10), ClockEvent.STEPPED, -3600),
    (reading(1210, 10, 1210), ClockEvent.SLEPT, 1200),
    (reading(10 + 3 * DAY_S, 10, 10 + 3 * DAY_S), ClockEvent.SLEPT, 3 * DAY_S),  # a long sleep is no mistake
    (reading(4800, 10, 1210), ClockEvent.STEPPED, 3590),  # asleep, and set
    (reading(10 + 400 * DAY_S, 10, 10), ClockEvent.TOO_FAR, 400 * DAY_S),
    (reading(10 - 400 * DAY_S, 10, 10), ClockEvent.STEPPED, -400 * DAY_S),  # back repeats nothing: no reason to hold
])
def test_a_step_is_told_from_a_sleep(new: Reading, event: ClockEvent, step_s: float) -> None:
    assert compare(reading(0, 0, 0), new, DAY_S) == ClockChange(event=event, step_s=step_s)


def test_after_a_step_back_it_is_said_until_when_nothing_is_due() -> None:
    world = World({})
    assert waits_until(world.wall, None) == ""
    assert waits_until(world.wall, world.wall + timedelta(seconds=1)) == ""
    later = world.wall + timedelta(hours=1)
    assert f"{later:%Y-%m-%d %H:%M:%S} UTC" in waits_until(world.wall, later)
    world.close()


def test_a_look_in_the_moment_of_the_jump_decides_nothing_by_the_wrong_clock() -> None:
    # given a process that runs for a while
    world = World({"job": ProcessConfig(cron="* * * * *", timeout=300, grace=5, catchup="latest")})
    daemon = world.start_daemon()
    world.advance(60)
    runner = daemon.runner
    watch = ClockWatch(FakeClock(world), DAY_S, lambda _: None, boottime=lambda: world.mono_s)
    watch.on_change = lambda change: runner.hold("clock", f"{change.event}")
    world.before_decisions = watch.look
    world.behaviours["job"] = Behaviour(works_s=20)
    world.advance(65 - world.wall.second)
    through = world.processes.control("job").evaluated_through

    # when the clock jumps while it runs, and its end is a reason to look before anybody else has
    world.step_clock(timedelta(days=400))
    world.advance(60)

    # then no slot of those days was decided
    assert runner.held == "too far"
    assert world.processes.control("job").evaluated_through == through
    assert world.processes.ticks("job", 10, world.wall) == []
    world.close()
