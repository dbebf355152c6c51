"""One traded day a module; what a case leaves behind is put right before the next."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "chaos"))
sys.path.insert(0, str(Path(__file__).parent))

from trading_scene import TradingScene, playing


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of this folder is run by `make chaos`, but for what is short enough for every `make test`."""
    here = Path(__file__).parent
    for item in items:
        if item.path.parent == here and item.path.name != "test_short_soak.py":
            item.add_marker(pytest.mark.chaos)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TradingScene]:
    with playing(TradingScene(tmp_path_factory.mktemp("scene"))) as scene:
        yield scene


@pytest.fixture
def scene(played: TradingScene) -> Iterator[TradingScene]:
    """Nothing is wrong yet; afterwards both sides must agree again."""
    yield played
    played.gateway.clear()
