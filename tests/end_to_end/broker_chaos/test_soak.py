"""X41: many orders and every kind of disconnect, at random and repeatable by seed; then all books agree to the lot.

CHAOS_SEED=N repeats a course. The short form (test_short_soak.py) is run by `make test`, one by `make chaos`, and the
long one, two hours of the market with 500 orders and 20 disconnects, by `make soak`.
"""

import pytest
import soak_course
from soak_course import Course
from trading_scene import TradingScene

SOME_MINUTES = Course(rounds=5, orders=6, idle=6)
TWO_HOURS = Course(rounds=20, orders=25, idle=14, hours=2, speed=40)


@pytest.mark.parametrize("course", [SOME_MINUTES, pytest.param(TWO_HOURS, marks=pytest.mark.soak)],
                         ids=["some minutes", "two hours"])
def test_x41_all_books_agree_after_whatever_happened(scene: TradingScene, course: Course,
                                                      capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        seed = soak_course.dealt_seed()
        print(f"\nCHAOS_SEED={seed}")
        soak_course.run(scene, course, seed)
