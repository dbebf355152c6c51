"""RC-41 over the store: another program halts trading once, until a person lets it trade."""

import asyncio
from datetime import UTC, datetime

import pytest

from daemon import version_guard
from daemon.store.async_store import AsyncStore
from daemon.version_guard import guard_versions
from trading.clock import SystemClock
from trading.control.config_revision import ConfigRevision, Source
from trading.data.mongo.config_revisions import MongoConfigRevisions
from trading.data.mongo.connection import MongoStore
from trading.risk.kill_level import Command, KillLevel, lowered

OLD, NEW = "0" * 64, "1" * 64


@pytest.fixture
def guarded(store: MongoStore) -> AsyncStore:
    opened = AsyncStore(store, threads=1)
    MongoConfigRevisions(store).insert(ConfigRevision(
        generation=1, sha256="f" * 64, files={}, author="ann", reason="first", source=Source.START,
        at=datetime(2026, 3, 2, 20, tzinfo=UTC), parent=None))
    return opened


def leads(store: AsyncStore, monkeypatch: pytest.MonkeyPatch, program: str, config: str = "f" * 64) -> str:
    monkeypatch.setattr(version_guard, "program_digest", lambda: program)
    return asyncio.run(guard_versions(store, SystemClock(), config))


def test_the_first_program_trades_and_goes_on_to(guarded: AsyncStore, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [leads(guarded, monkeypatch, OLD) for _ in range(2)] == ["", ""]
    assert guarded.kill.load().level is KillLevel.K0_NORMAL


def test_another_program_halts_until_a_person_lets_it_trade(guarded: AsyncStore,
                                                            monkeypatch: pytest.MonkeyPatch) -> None:
    # given a program that has traded, when another one leads, then trading is halted, also after a restart
    leads(guarded, monkeypatch, OLD)
    why = leads(guarded, monkeypatch, NEW)
    assert why.startswith("Program 11111111 with schema ")
    assert leads(guarded, monkeypatch, NEW) == ""
    state = guarded.kill.load()
    assert (state.level, state.who, state.reason) == (KillLevel.K3_HALT, "version guard", why)

    # when a person lets it trade, then it does, and after a restart too
    by = Command(who="ann", why="upgrade", when=SystemClock().now(), is_person=True)
    guarded.kill.save(lowered(state, KillLevel.K0_NORMAL, by))
    assert leads(guarded, monkeypatch, NEW) == ""
    assert guarded.kill.load().level is KillLevel.K0_NORMAL

    # and going back is another program again
    assert "11111111 with schema" in leads(guarded, monkeypatch, OLD)
    assert guarded.kill.load().level is KillLevel.K3_HALT


def test_a_configuration_that_is_not_on_record_halts(guarded: AsyncStore, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "ffffffff is the newest on record" in leads(guarded, monkeypatch, OLD, config="e" * 64)
    assert guarded.kill.load().level is KillLevel.K3_HALT


def test_a_higher_level_stays(guarded: AsyncStore, monkeypatch: pytest.MonkeyPatch) -> None:
    leads(guarded, monkeypatch, OLD)
    guarded.kill.raise_to(KillLevel.K5_SEVER, Command(who="ann", why="fire", when=SystemClock().now()))
    leads(guarded, monkeypatch, NEW)
    state = guarded.kill.load()
    assert (state.level, state.who) == (KillLevel.K5_SEVER, "ann")
