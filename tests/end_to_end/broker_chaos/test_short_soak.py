"""X41 in its shortest form, for every `make test`: a few orders, two disconnects, then all books agree to the lot."""

import pytest
import soak_course
from soak_course import QUICK, Course
from trading_scene import TradingScene


def test_x41_all_books_agree_after_two_disconnects(scene: TradingScene, capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        seed = soak_course.dealt_seed()
        print(f"\nCHAOS_SEED={seed}")
        soak_course.run(scene, Course(rounds=2, orders=4, kinds=QUICK), seed)
