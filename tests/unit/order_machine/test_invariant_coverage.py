"""No invariant is forgotten, and none is said to be checked by a test that does not exist."""

import re
from pathlib import Path

import invariants
import pytest
from invariant_coverage import COVERAGE
from invariants import ALWAYS, AT_REST

ROOT = Path(__file__).resolve().parents[3]


def test_each_invariant_has_its_place() -> None:
    assert sorted(COVERAGE) == sorted(f"V{number}" for number in range(1, 41))
    assert all(sentence and places for sentence, places in COVERAGE.values())


@pytest.mark.parametrize("place", sorted({place for _, places in COVERAGE.values() for place in places}))
def test_every_named_check_exists(place: str) -> None:
    if place.startswith("machine:"):
        assert getattr(invariants, place.removeprefix("machine:")) in (*ALWAYS, *AT_REST)
        return
    file, _, name = place.partition("::")
    assert re.search(rf"^ *def {name}\(", (ROOT / file).read_text(), re.MULTILINE)


def test_every_invariant_of_the_machine_is_in_the_table() -> None:
    named = {place.removeprefix("machine:") for _, places in COVERAGE.values() for place in places}
    assert {each.__name__ for each in (*ALWAYS, *AT_REST)} <= named
