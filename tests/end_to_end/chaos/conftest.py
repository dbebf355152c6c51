"""Servers and rigs for chaos tests; whatever a test leaves running fails it, and is ended."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from rig import Rig, StoreServer


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of this folder, but what needs no process, is run by `make chaos`."""
    here = Path(__file__).parent
    for item in items:
        if item.path.parent == here and item.path.name not in ("test_checker.py", "test_faulty_wire.py"):
            item.add_marker(pytest.mark.chaos)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoreServer]:
    """One store for a module; each rig has a database of its own on it."""
    server = StoreServer(tmp_path_factory.mktemp("server"))
    server.start()
    yield server
    server.end()


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[StoreServer]:
    """A store that the test may freeze and kill."""
    server = StoreServer(tmp_path / "server")
    server.start()
    yield server
    server.end()


@pytest.fixture
def new_rig(tmp_path: Path) -> Iterator[Callable[..., Rig]]:
    """Make rigs; at the end nothing of them may be left."""
    rigs: list[Rig] = []

    def make(server: StoreServer, processes: dict[str, Any], **service: Any) -> Rig:
        rigs.append(Rig(tmp_path / f"rig{len(rigs)}", server, processes, **service))
        return rigs[-1]

    yield make
    left = [line for rig in rigs for line in rig.close()]
    assert left == []
