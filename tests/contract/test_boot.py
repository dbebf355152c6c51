"""What the service starts with when files are wrong or gone: what was accepted last, no defaults that nobody chose."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest

from daemon.configuration.boot import Accepted, accepted, boot_from
from daemon.places import Places
from trading.control.config_revision import ConfigRevision, Source, fingerprint
from trading.data.mongo.config_revisions import MongoConfigRevisions
from trading.data.mongo.connection import MongoStore
from trading.errors import ConfigError

SYSTEM = "system:\n  forecast_rules:\n    trend: {rule: ewmac, fast: 8, slow: 32, scalar: 5.3, weight: 1}\n"
MINE = {"strategies/mine.yaml": SYSTEM}


def accepted_before(store: MongoStore, files: dict[str, str]) -> None:
    MongoConfigRevisions(store).insert(ConfigRevision(
        generation=0, sha256=fingerprint(files), files=files, author="ana", reason="", source=Source.START,
        at=datetime(2026, 3, 2, tzinfo=UTC), parent=None))


def started(folder: Path, store: MongoStore, strict: bool = False) -> Accepted:
    places = Places(folder / "var")
    places.store.mkdir(parents=True, exist_ok=True)
    (folder / "config").mkdir(exist_ok=True)
    boot = boot_from(folder / "config", places, strict=strict)
    return asyncio.run(accepted(boot, store, folder / "config", places))


def test_files_that_are_right_are_used(store: MongoStore, tmp_path: Path) -> None:
    accepted_before(store, MINE)
    (tmp_path / "config" / "strategies").mkdir(parents=True)
    (tmp_path / "config" / "strategies" / "other.yaml").write_text(SYSTEM)
    found = started(tmp_path, store)
    assert (list(found.checked.config.strategies), found.revision) == (["other"], None)


def test_where_all_strategies_are_gone_those_of_the_last_generation_are_used(store: MongoStore, tmp_path: Path) -> None:
    accepted_before(store, MINE)
    found = started(tmp_path, store)
    assert list(found.checked.config.strategies) == ["mine"], "and not the example"
    assert found.revision is not None
    assert found.revision.generation == 1


def test_a_wrong_strategy_is_answered_with_the_last_generation(store: MongoStore, tmp_path: Path) -> None:
    accepted_before(store, MINE)
    (tmp_path / "config" / "strategies").mkdir(parents=True)
    (tmp_path / "config" / "strategies" / "mine.yaml").write_text(SYSTEM.replace("ewmac", "ewma"))
    assert list(started(tmp_path, store).checked.config.strategies) == ["mine"]


def test_whoever_is_strict_does_not_start_on_lost_files(store: MongoStore, tmp_path: Path) -> None:
    accepted_before(store, MINE)
    with pytest.raises(ConfigError, match=r"mine\.yaml was there and is gone\."):
        started(tmp_path, store, strict=True)


def test_the_first_start_needs_no_generation(store: MongoStore, tmp_path: Path) -> None:
    assert list(started(tmp_path, store).checked.config.strategies) == ["example"]
