"""What operators have set, in the real store: it comes back as it was; each change is told in an event."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from trading.data.mongo.connection import MongoStore
from trading.data.mongo.controls import MongoKillState, MongoLimits, MongoOverrides, StoredOverride
from trading.data.mongo.events import MongoEvents
from trading.errors import ConcurrentUpdate, ConfigError
from trading.risk.kill_level import Command, KillLevel, KillState, Scope, raised
from trading.risk.limits import Limit, LimitKind, limit_of
from trading.risk.overrides import CLOSE, NO_OVERRIDE, Override

NOW = datetime(2026, 3, 2, 20, tzinfo=UTC)
ANN = Command(who="ann", why="strange prices", when=NOW, is_person=True)


def test_a_store_without_a_kill_state_is_at_normal(store: MongoStore) -> None:
    assert MongoKillState(store).load() == KillState()


def test_a_kill_state_comes_back_with_its_pauses(store: MongoStore) -> None:
    state = raised(KillState(), KillLevel.K3_HALT, ANN)
    state = raised(state, KillLevel.K1_PAUSE_SCOPE, ANN, Scope(instrument="SP500"), cancels_working=True)
    saved = MongoKillState(store).save(state)
    assert MongoKillState(store).load() == saved == replace(state, version=1)


def test_two_who_raise_at_once_do_not_undo_each_other(store: MongoStore) -> None:
    kills = MongoKillState(store)
    seen = kills.load()
    kills.save(raised(seen, KillLevel.K4_FLATTEN, ANN))
    with pytest.raises(ConcurrentUpdate):
        kills.save(raised(seen, KillLevel.K2_NO_NEW_RISK, ANN))
    assert kills.load().level is KillLevel.K4_FLATTEN


def an_override(override: Override, strategy: str | None = None, instrument: str | None = None) -> StoredOverride:
    return StoredOverride(strategy=strategy, instrument=instrument, override=override, who="ann", reason="why", at=NOW)


def test_the_strictest_override_that_covers_an_order_holds(store: MongoStore) -> None:
    overrides = MongoOverrides(store)
    overrides.put(an_override(Override(factor=0.5), strategy="s"))
    overrides.put(an_override(CLOSE, instrument="SP500"))
    assert overrides.of("s", "SP500") == CLOSE
    assert overrides.of("s", "GOLD") == Override(factor=0.5)
    assert overrides.of("t", "GOLD") == NO_OVERRIDE
    overrides.put(an_override(NO_OVERRIDE, instrument="SP500"))
    assert overrides.of("s", "SP500") == Override(factor=0.5)
    assert len(overrides.all()) == 1


def test_limits_come_back_and_a_removed_one_is_no_limit(store: MongoStore) -> None:
    limits = MongoLimits(store)
    both = [Limit(kind=LimitKind.POSITION, instrument="SP500", lots=10, who="ann", reason="r", at=NOW),
            Limit(kind=LimitKind.TRADE, instrument="SP500", strategy="s", lots=3, days=1)]
    for each in both:
        limits.put(each)
    assert limits.all() == both
    assert limit_of(limits.all(), LimitKind.POSITION, "SP500") == 10
    limits.remove(both[0])
    assert limit_of(limits.all(), LimitKind.POSITION, "SP500") is None


@pytest.mark.parametrize(("lots", "days", "words"), [
    (-1, 0, "A position limit of -1 lots is not possible"), (1.5, 0, "A position limit of 1.5 lots"),
    (True, 0, "A position limit of True lots"), (3, 5, "counts over days only for trades; got 5 days")])
def test_a_limit_that_cannot_be_is_refused(lots: int, days: int, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        Limit(kind=LimitKind.POSITION, instrument="SP500", lots=lots, days=days)


def test_every_change_of_a_control_is_told(store: MongoStore) -> None:
    for words in (Override(factor=0.5), CLOSE, NO_OVERRIDE):
        MongoOverrides(store).put(an_override(words, instrument="SP500"))
    told = MongoEvents(store).of("overrides */SP500")
    assert [event.payload["words"] for event in told] == ["0.5", "close", "none"]
    assert list(MongoEvents(store).breaks_in_chain()) == []
