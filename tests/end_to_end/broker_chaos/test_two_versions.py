"""O23: an old program comes to the store of a newer one, as on the one host of eight that was left out (Knight)."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from rig import StoreServer
from trading_scene import REPOSITORY, TradingScene, until

from trading.data.mongo.schema import SCHEMA_VERSION

PACKAGES = ("daemon", "processes", "trading", "config")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[StoreServer]:
    server = StoreServer(tmp_path / "server")
    server.start()
    yield server
    server.end()


def newer_program(folder: Path) -> Path:
    """This one, with the next version of what it stores."""
    for name in PACKAGES:
        shutil.copytree(REPOSITORY / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    schema = folder / "trading" / "data" / "mongo" / "schema.py"
    said, next_one = f"SCHEMA_VERSION: Final = {SCHEMA_VERSION}", f"SCHEMA_VERSION: Final = {SCHEMA_VERSION + 1}"
    text = schema.read_text()
    assert said in text
    schema.write_text(text.replace(said, next_one))
    return folder


def scene_of(folder: Path, server: StoreServer, program: Path = REPOSITORY) -> TradingScene:
    folder.mkdir()
    return TradingScene(folder, service={"mongo": {"uri": server.uri}}, program=program)


def test_o23_an_old_program_is_refused_and_the_newer_one_trades_on(tmp_path: Path, server: StoreServer) -> None:
    # given a newer program that trades
    newer, old = scene_of(tmp_path / "newer", server, newer_program(tmp_path / "program")), scene_of(
        tmp_path / "old", server)
    try:
        newer.begin().lift_limits()
        order, run = newer.rest(newer.an_instrument())

        # when the old one is started beside it, then it ends with a sentence, before it leads or stands by
        refused(old)
        newer.fill()
        assert newer.handled(run)["state"] == "FINISHED"
        assert newer.trade(newer.an_instrument(), 1).filled == 1
        assert newer.books() == newer.theirs()

        # and so it does when the newer one is dead: nobody takes over what he cannot read
        newer.kill()
        refused(old)
    finally:
        newer.end()
        old.end()
    assert order


def refused(old: TradingScene) -> None:
    old.launch()
    assert old.process is not None
    until(lambda: old.process is not None and old.process.poll() is not None, 30, "it has ended")
    assert old.process.returncode == 1
    said = (old.folder / "service.out").read_text()
    assert f"has schema version {SCHEMA_VERSION + 1}; this tradingd knows {SCHEMA_VERSION}" in said
    assert "Traceback" not in said
