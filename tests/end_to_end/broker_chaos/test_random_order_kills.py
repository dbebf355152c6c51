"""Daemon, worker and connection killed at random while orders are wanted: none is lost, none is doubled.

CHAOS_SEED=N repeats a course. Some kills with `make chaos`, a thousand with `make soak`, in courses with a day of their
own: by a day's end an instrument has had all the orders that it may have.
"""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
import soak_course
from crash_points import unlike_the_gateway
from random_killer import RandomKiller
from trading_scene import Traded, TradingScene

LONG = (pytest.mark.soak, pytest.mark.timeout(3600))
COURSES = [pytest.param(12, 0, id="12"), *(pytest.param(200, number, marks=LONG, id=f"200, course {number}")
                                           for number in range(5))]


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[TradingScene]:
    scene = TradingScene(tmp_path)
    try:
        yield scene.begin()
    finally:
        scene.end()


@pytest.mark.parametrize(("kills", "course"), COURSES)
def test_o01_o02_o54_random_kills_lose_no_order_and_double_none(fresh: TradingScene, kills: int, course: int,
                                                            capsys: pytest.CaptureFixture[str]) -> None:
    # given orders that are wanted all the time
    seed = soak_course.dealt_seed()
    with capsys.disabled():
        print(f"\ncourse {course} of CHAOS_SEED={seed}")
    killer = RandomKiller(fresh, random.Random(seed + course))

    # when daemon, worker and connection are killed, and then no more
    killer.kill_many(kills)
    killer.come_to_rest()

    # then each order was executed as far as it says, and all books agree
    traded = [Traded(fresh, order, {}) for order in killer.orders]
    assert [each.executed for each in traded] == [each.filled for each in traded]
    assert fresh.locks() == {}
    assert list(unlike_the_gateway(fresh)) == []
    soak_course.check_books(fresh)
    filled = sum(bool(each.filled) for each in traded)
    with capsys.disabled():
        print(f"killed {dict(killer.killed)}; of {len(traded)} orders {filled} were filled, "
              f"{sum(abs(each.filled) for each in traded)} lots; none lost, none doubled, "
              f"all books agree; the end of {killer.told_lost} was told by a person")
    assert filled > len(traded) / 2
