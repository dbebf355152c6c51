"""Real things for contract tests: a store (the embedded server, started once, a database a test) and a gateway."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from embedded_server import start_server
from recorded_gateway import GatewayProcess
from ulid import ULID

from daemon.store.embedded_store import end_server
from trading.data.mongo.connection import MongoStore, connect
from trading.data.mongo.schema import set_up_schema


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    process, uri = start_server(tmp_path_factory.mktemp("server"))
    yield uri
    end_server(process)


@pytest.fixture
def store(server: str) -> Iterator[MongoStore]:
    """An empty database with our schema."""
    opened = connect(server, f"test_{ULID()}".lower(), 10.0)
    set_up_schema(opened)
    yield opened
    opened.client.drop_database(opened.database.name)
    opened.close()


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[GatewayProcess]:
    """A simulated gateway as a process, on a recorded day."""
    process = GatewayProcess(tmp_path)
    yield process
    process.kill()
