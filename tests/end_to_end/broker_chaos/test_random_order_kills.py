"""Daemon, worker and connection killed at random while orders are wanted: none is lost, none is doubled.

CHAOS_SEED=N repeats a course. Some kills with `make chaos`, a thousand with `make soak`.
"""

import random

import pytest
import soak_course
from crash_points import unlike_the_gateway
from random_killer import RandomKiller
from trading_scene import Traded, TradingScene


@pytest.mark.parametrize("kills", [12, pytest.param(1000, marks=[pytest.mark.soak, pytest.mark.timeout(3 * 3600)])])
def test_o01_o02_o54_random_kills_lose_no_order_and_double_none(scene: TradingScene, kills: int,
                                                            capsys: pytest.CaptureFixture[str]) -> None:
    # given orders that are wanted all the time
    seed = soak_course.dealt_seed()
    with capsys.disabled():
        print(f"\nCHAOS_SEED={seed}")
    killer = RandomKiller(scene, random.Random(seed))

    # when daemon, worker and connection are killed, and then no more
    killer.kill_many(kills)
    killer.come_to_rest()

    # then each order was executed as far as it says, and all books agree
    traded = [Traded(scene, order, {}) for order in killer.orders]
    assert [each.executed for each in traded] == [each.filled for each in traded]
    assert scene.locks() == {}
    assert list(unlike_the_gateway(scene)) == []
    soak_course.check_books(scene)
    filled = sum(bool(each.filled) for each in traded)
    with capsys.disabled():
        print(f"killed {dict(killer.killed)}; of {len(traded)} orders {filled} were filled")
    assert filled > 0
