"""Killed with -9 behind every durable write of an order's life (orders_and_risk.md 7.1, V25): the same end each time.

The writes are counted by the driver in the processes that make them, not listed by hand; a new write in the code is a
new crash point here.
"""

from collections import Counter
from collections.abc import Iterator

import pytest
from crash_points import CrashScene, EndState, Life, unlike_the_gateway

ONCE = EndState(instrument_order=("CLOSED", "FILLED", 1), contract_orders=[("CLOSED", "FILLED", 1)],
                sent=[("FILLED", 1)], fills=[(1, True)], at_gateway=1, executed=1, locks={})
MESSAGES = {"daemon:broker_messages", "worker:settings"}  # how many come together is a matter of moments


@pytest.fixture(scope="module")
def crashing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CrashScene]:
    crashing = CrashScene(tmp_path_factory.mktemp("crashing"))
    try:
        crashing.scene.begin()
        yield crashing
    finally:
        crashing.scene.end()


@pytest.fixture(scope="module")
def undisturbed(crashing: CrashScene) -> Life:
    return crashing.live()


def test_an_order_that_nothing_disturbs_is_traded_once(crashing: CrashScene, undisturbed: Life) -> None:
    assert undisturbed.end() == ONCE
    assert list(unlike_the_gateway(crashing.scene)) == []


def test_every_durable_write_of_that_life_was_counted(undisturbed: Life) -> None:
    counted = {name for write in undisturbed.writes for name in write.ids("events")}
    journaled = {name for write in undisturbed.writes for name in write.ids("broker_messages")}
    assert undisturbed.events() - counted == set()
    assert undisturbed.messages - journaled == set()


@pytest.mark.timeout(600)
@pytest.mark.parametrize("role", ["worker", "daemon"])
def test_o01_o02_o31_killed_behind_every_durable_write_the_end_is_the_same(
        crashing: CrashScene, undisturbed: Life, role: str, capsys: pytest.CaptureFixture[str]) -> None:
    kinds = Counter(write.kind for write in undisturbed.writes if write.kind.startswith(role))
    points = [(kind, number) for kind, times in kinds.items() for number in range(1, times + 1)]
    for kind, number in points:
        life = crashing.live(kind, number)
        assert (life.end(), list(unlike_the_gateway(crashing.scene))) == (ONCE, [])
        assert life.is_killed or (kind in MESSAGES and number > 1)
        with capsys.disabled():
            print(f"\n{'killed behind' if life.is_killed else 'had no'} {number}. {kind}", end="", flush=True)
    assert len(points) >= {"worker": 8, "daemon": 7}[role]
