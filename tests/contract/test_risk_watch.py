"""The risk watch over a real gateway and store: it raises what is called for, and takes nothing back by itself."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from broker_link_scene import BrokerScene
from recorded_gateway import GatewayProcess
from test_gate import ANN, contract, intent

from daemon.broker_service import Link
from daemon.risk_watch import RiskParts, RiskWatch
from daemon.store.async_store import AsyncStore
from trading.broker_config import BrokerConfig
from trading.config import Mode, ServiceConfig
from trading.control.alert import AlertKind, AlertState, Severity
from trading.data.mongo.books import MongoBooks
from trading.data.mongo.connection import MongoStore
from trading.data.mongo.contracts import MongoContracts
from trading.data.mongo.controls import MongoKillState, MongoOverrides, StoredOverride
from trading.data.mongo.locks import MongoInstrumentLocks
from trading.data.mongo.orders import MongoOrders
from trading.data.mongo.roll_states import MongoRollStates, StoredRollState
from trading.data.mongo.settings import MongoSettings
from trading.data.mongo.strategy_days import MongoStrategyDays
from trading.errors import BrokerUnavailable
from trading.execution.adjustments import Adjustment, AdjustmentKind, Entry
from trading.execution.broker_orders import BrokerLifecycle
from trading.execution.locks import Lock, LockCause
from trading.execution.order_ids import new_instrument_order_id
from trading.execution.order_states import CloseReason, Hold, Lifecycle
from trading.execution.orders import InstrumentOrder, StoredCheck, spawn
from trading.execution.rolls.states import RollState
from trading.objects.contracts import Contract
from trading.risk.account_track import AccountTrack
from trading.risk.controls.watch import NavTrack
from trading.risk.kill_level import KillLevel, KillState, lowered
from trading.risk.order_kind import OrderKind
from trading.risk.overrides import CLOSE, NO_OVERRIDE, REDUCE_ONLY, Override
from trading.risk.settings import RiskSettings
from trading.risk.strategy_day import StrategyDay

FRONT = Contract.of("SP500", "20211200")
START = datetime(2021, 10, 13, 12, tzinfo=UTC)
UNREAD = AlertState(kind=AlertKind.LOST, subject="run_systems", text="lost", severity=Severity.CRITICAL, open=True,
                    first_at=START, last_at=START)


@dataclass
class HandClock:
    instant: datetime = START
    stepped_s: float = 0.0  # by which somebody has set it

    def now(self) -> datetime:
        return self.instant

    def monotonic_s(self) -> float:
        return self.instant.timestamp() - self.stepped_s


@dataclass
class OpenAlerts:
    """Remembers what stands open, by kind and subject."""

    states: list[AlertState] = field(default_factory=list)
    open: dict[str, str] = field(default_factory=dict)

    def tell(self, kind: AlertKind, subject: str, text: str, _severity: Severity | None = None) -> None:
        self.open[f"{kind}:{subject}"] = text

    def over(self, kind: AlertKind, subject: str) -> None:
        self.open.pop(f"{kind}:{subject}", None)

    async def open_alerts(self) -> list[AlertState]:
        return self.states


class WatchScene:
    """A broker link, and a watch that looks when it is told to, on a clock in our hands."""

    def __init__(self, scene: BrokerScene, store: MongoStore, mode: Mode = Mode.SIMULATED) -> None:
        self.scene, self.store, self.clock, self.alerts = scene, store, HandClock(), OpenAlerts()
        parts: Any = RiskParts(
            store=AsyncStore(store), broker=scene.service, clock=self.clock, alerts=self.alerts,  # type: ignore[arg-type]
            service=ServiceConfig(broker=BrokerConfig(account="DU0000001"), mode=mode), settings=RiskSettings(),
            day=lambda: self.clock.instant.date().isoformat())
        self.watch = RiskWatch(parts)

    def look(self, times: int = 1) -> None:
        for _ in range(times):
            self.scene.awaited(lambda _service: self.watch.look())
            self.clock.instant += timedelta(seconds=20)

    @property
    def level(self) -> KillLevel:
        return MongoKillState(self.store).load().level

    def remember(self, **changes: Any) -> None:
        settings = MongoSettings(self.store)
        settings.save_account_track(replace(settings.account_track(), **changes))


@pytest.fixture
def scene(tmp_path: Path, gateway: GatewayProcess, store: MongoStore) -> Iterator[WatchScene]:
    with BrokerScene(tmp_path, gateway, store) as opened:
        yield WatchScene(opened, store)


def worth(scene: WatchScene) -> float:
    """What the account is worth now, as the broker says, three times."""
    scene.look(3)
    good = MongoSettings(scene.store).account_track().nav.good
    assert good is not None
    return good


def test_a_sound_account_raises_nothing_and_is_remembered(scene: WatchScene) -> None:
    first = worth(scene)
    track = MongoSettings(scene.store).account_track()
    assert (track.day, track.day_began_at, track.high_water_mark) == ("2021-10-13", first, first)
    assert (scene.level, scene.alerts.open) == (KillLevel.K0_NORMAL, {})


def test_a_days_loss_halts_only_when_it_was_seen_three_times(scene: WatchScene) -> None:
    # given an account that was worth six percent more when the day began
    now = worth(scene)
    scene.remember(day_began_at=now * 1.06)
    scene.look(2)
    assert scene.level is KillLevel.K0_NORMAL
    scene.look(2)
    assert scene.level is KillLevel.K3_HALT
    assert "of NAV were lost today" in MongoKillState(scene.store).load().reason


def test_a_drawdown_shrinks_positions_until_a_person_says_otherwise(scene: WatchScene) -> None:
    scene.remember(high_water_mark=worth(scene) / 0.74)
    scene.look(2)
    [override] = MongoOverrides(scene.store).all()
    assert (override.override, override.strategy, override.instrument, override.who) == (
        REDUCE_ONLY, None, None, "risk watch")


def test_an_override_that_a_person_takes_back_returns_only_when_the_drawdown_asks_for_more(scene: WatchScene) -> None:
    # given a drawdown that halves positions, and a person who does not want that
    now, overrides = worth(scene), MongoOverrides(scene.store)
    scene.remember(high_water_mark=now / 0.84)
    scene.look(2)
    assert [each.override for each in overrides.all()] == [Override(factor=0.5)]
    overrides.put(replace(overrides.all()[0], override=NO_OVERRIDE, who="ann"))

    # when it goes on, then nothing is laid over him; when it grows, it is
    scene.look(2)
    assert [(each.override, each.who) for each in overrides.all() if each.override != NO_OVERRIDE] == []
    scene.remember(high_water_mark=now / 0.74)
    scene.look(2)
    assert [each.override for each in overrides.all()] == [REDUCE_ONLY]

    # and when it has been made up for, the next one counts anew
    overrides.put(replace(overrides.all()[0], override=NO_OVERRIDE, who="ann"))
    scene.remember(high_water_mark=now)
    scene.look()
    scene.remember(high_water_mark=now / 0.84)
    scene.look()
    assert [each.override for each in overrides.all()] == [Override(factor=0.5)]


def test_a_question_that_the_broker_does_not_answer_keeps_nothing_else_from_being_watched(
        scene: WatchScene, monkeypatch: pytest.MonkeyPatch) -> None:
    # given a K2 for want of sound data, and a critical alert that nobody reads
    now = worth(scene)
    scene.remember(nav=NavTrack(good=now * 2))
    scene.look()
    assert scene.level is KillLevel.K2_NO_NEW_RISK

    async def silent(*_: Any) -> float:
        raise BrokerUnavailable("no answer in time")

    # when the account is not told any more, then that is no sound account
    monkeypatch.setattr("trading.broker.ib.library.IbLibrary.account_value", silent)
    scene.look(4)
    assert scene.level is KillLevel.K2_NO_NEW_RISK

    # and what needs no broker is watched all the same
    scene.alerts.states.append(UNREAD)
    scene.clock.instant += timedelta(minutes=15)
    scene.look()
    assert "RISK:RC-42" in scene.alerts.open


def test_one_strange_reading_of_the_account_holds_new_risk_and_lets_it_go_again(scene: WatchScene) -> None:
    # given a worth that is far from the last one
    now = worth(scene)
    scene.remember(nav=NavTrack(good=now * 2))
    scene.look()
    assert scene.level is KillLevel.K2_NO_NEW_RISK

    # when three readings agree, then it is believed, and the level falls by itself
    scene.look(6)
    assert scene.level is KillLevel.K0_NORMAL


def test_data_that_cannot_be_asked_for_are_not_sound(scene: WatchScene) -> None:
    # given a level that was raised for a strange reading
    scene.remember(nav=NavTrack(good=worth(scene) * 2))
    scene.look()
    assert scene.level is KillLevel.K2_NO_NEW_RISK

    # when the broker is away
    scene.scene.control.fault("unreachable", seconds=60)
    scene.scene.control.fault("close")
    scene.scene.wait_for(Link.DOWN)
    scene.look(6)
    assert scene.level is KillLevel.K2_NO_NEW_RISK


def test_three_orders_of_unknown_fate_stop_new_risk(scene: WatchScene) -> None:
    order, orders = intent(scene.scene, scene.store), MongoOrders(scene.store)
    orders.save_broker_order(replace(order, lifecycle=BrokerLifecycle.UNKNOWN, created=START))
    scene.look()
    assert scene.level is KillLevel.K0_NORMAL
    scene.clock.instant += timedelta(minutes=11)
    scene.look()
    assert scene.level is KillLevel.K2_NO_NEW_RISK


def test_orders_that_wait_for_a_person_are_told_while_there_are_any(scene: WatchScene) -> None:
    order = replace(a_roll(scene), holds=frozenset({Hold.APPROVAL}))
    orders = MongoOrders(scene.store)
    orders.save_instrument_order(order)
    scene.look()
    assert scene.alerts.open["RISK:approval"] == (
        f"These orders wait for a person: {order.id} (+0 SP500). Let one go: tradectl trade approve ORDER; take it "
        f"back: tradectl trade cancel ORDER")
    orders.save_instrument_order(replace(orders.instrument_order(order.id), holds=frozenset()))
    scene.look()
    assert "RISK:approval" not in scene.alerts.open


def a_roll(scene: WatchScene, strategy: str = "s", checks: tuple[StoredCheck, ...] = ()) -> InstrumentOrder:
    """Two lots of March to June, decided today."""
    stored = MongoOrders(scene.store).add_instrument_order(InstrumentOrder(
        id=new_instrument_order_id(), idempotency_key=strategy, account="DU0000001", strategy=strategy,
        instrument="SP500", kind=OrderKind.ROLL, quantity=0, trading_day=START.date().isoformat(), created=START,
        roll_from="SP500/20260300", roll_to="SP500/20260600", roll_quantity=2, checks=checks))
    assert stored is not None
    return stored


def limit(outcome: str, sentence: str = "") -> StoredCheck:
    """What the trade limit said."""
    return StoredCheck(control="RC-07", outcome=outcome, quantity=3, sentence=sentence, at=START)


def test_a_roll_that_ends_half_done_calls_a_person_and_stops_nothing(scene: WatchScene) -> None:
    orders = MongoOrders(scene.store)
    roll = a_roll(scene)
    parent, (front, forward) = spawn(roll, "", START)
    orders.spawned(parent, [replace(front, filled=-2), replace(forward, filled=1)])
    scene.look()
    assert scene.alerts.open == {}
    orders.save_instrument_order(orders.instrument_order(roll.id).moved(Lifecycle.CLOSED, CloseReason.REJECTED))
    scene.look()
    assert "SP500/20260300 to SP500/20260600 leaves -1 lots" in scene.alerts.open["RISK:RC-45"]
    assert scene.level is KillLevel.K0_NORMAL


def test_pst_932_a_roll_that_its_limit_cuts_is_told_loudly(scene: WatchScene) -> None:
    # given a roll that passes whole, and one of five lots of which the limit lets three pass
    a_roll(scene, "whole", checks=(limit("PASS"),))
    scene.look()
    assert scene.alerts.open == {}
    a_roll(scene, "cut", checks=(limit("CUT", "The trade limit for rolls in SP500 leaves 3 of 5 lots."),))
    scene.look()

    # then a person is told which, and why
    assert scene.alerts.open["RISK:RC-07"].startswith(
        "A trade limit keeps positions from being rolled, and what is left stays in the front month: SP500/20260300 to "
        "SP500/20260600 of cut: The trade limit for rolls in SP500 leaves 3 of 5 lots.")
    assert scene.level is KillLevel.K0_NORMAL


def test_a_roll_whose_leg_is_held_by_the_limit_is_told_until_it_passes(scene: WatchScene) -> None:
    orders = MongoOrders(scene.store)
    roll = a_roll(scene)
    parent, (front, forward) = spawn(roll, "", START)
    orders.spawned(parent, [replace(front, checks=(limit("HOLD", "Nothing is left today."),)), forward])
    scene.look()
    assert "Nothing is left today." in scene.alerts.open["RISK:RC-07"]
    leg = orders.contract_order(front.id)
    orders.save_contract_order(replace(leg, checks=(*leg.checks, limit("PASS"))))
    scene.look()
    assert scene.alerts.open == {}


def test_locks_that_a_person_must_look_at_are_told_while_there_are_any(scene: WatchScene) -> None:
    locks = MongoInstrumentLocks(scene.store)
    by_hand = Lock(instrument="GOLD", cause=LockCause.OPERATOR, subject="ann", reason="not today", opened_at=START)
    broken = Lock(instrument="SP500", cause=LockCause.POSITION_BREAK, subject="SP500/20260300", opened_at=START,
                  reason="position break: SP500/20260300 ours +2, theirs +3")
    locks.lock(by_hand)
    scene.look()
    assert scene.alerts.open == {}
    locks.lock(broken)
    scene.look()
    assert scene.alerts.open == {"LOCKED:instruments": (
        "Nothing is traded in these instruments until a person has looked: position break: SP500/20260300 ours +2, "
        "theirs +3. See: tradectl locks")}
    locks.unlock(broken.id, "booked", START)
    scene.look()
    assert scene.alerts.open == {}


def test_a_contract_that_must_be_left_is_told_until_nothing_of_it_is_held(scene: WatchScene) -> None:
    # given two lots on the last day, as the rules have decided
    states, books = MongoRollStates(scene.store), MongoBooks(scene.store)
    states.put(StoredRollState(instrument="SP500", state=RollState.CLOSE, who="rule", at=START, day="2021-10-13",
                               front=FRONT.key, row=2, reason="+2 lots must be out in 1 business day"))
    scene.look()
    assert scene.alerts.open == {}

    def holds(lots: int, number: int) -> None:
        entry = Entry(strategy="s", instrument="SP500", contract=FRONT.key, con_id=1, lots=lots)
        books.adjust(Adjustment(id=f"A-{number}", kind=AdjustmentKind.OPENING, entries=(entry,), reason="from before",
                                who="ann", at=START))

    holds(2, 1)
    scene.look()
    assert scene.alerts.open == {"ROLL:SP500": (
        f"{FRONT.key}: +2 lots must be out in 1 business day. If it is not left today, close it by hand. See: tradectl "
        f"rolls")}

    # when they are gone
    holds(-2, 2)
    scene.look()
    assert scene.alerts.open == {}


def test_knight_a_critical_alert_that_nobody_reads_stops_new_risk(scene: WatchScene) -> None:
    # given one that has been open for a while
    scene.alerts.states = [UNREAD]
    scene.look()
    assert scene.level is KillLevel.K0_NORMAL
    scene.clock.instant += timedelta(minutes=15)
    scene.look()
    assert scene.level is KillLevel.K2_NO_NEW_RISK
    assert "Nobody has acknowledged a critical alert" in scene.alerts.open["RISK:RC-42"]


def test_a_level_that_a_person_set_is_not_lowered(scene: WatchScene) -> None:
    kill = MongoKillState(scene.store)
    kill.save(replace(KillState(level=KillLevel.K3_HALT, who="ann", reason="looking", when=START)))
    scene.look(4)
    assert scene.level is KillLevel.K3_HALT
    kill.save(lowered(kill.load(), KillLevel.K0_NORMAL, ANN))
    scene.look()
    assert scene.level is KillLevel.K0_NORMAL


def test_rc_29_a_clock_that_is_not_the_brokers_holds_new_risk_until_it_is_again(
        tmp_path: Path, gateway: GatewayProcess, store: MongoStore) -> None:
    with BrokerScene(tmp_path, gateway, store) as opened:
        scene = WatchScene(opened, store, Mode.PAPER)
        scene.look()
        assert (scene.level, scene.alerts.open) == (KillLevel.K0_NORMAL, {})

        # when our clock goes on, and the broker's stands still
        scene.look()
        assert scene.level is KillLevel.K2_NO_NEW_RISK
        assert scene.alerts.open["RISK:RC-29"].startswith("The skew of the clock is ")

        # then it is over when both agree, and the level falls by itself
        for _ in range(2):
            gateway.set_clock(scene.clock.instant)
            scene.look()
        assert (scene.level, scene.alerts.open) == (KillLevel.K0_NORMAL, {})


def test_rc_29_a_clock_that_somebody_sets_holds_new_risk_for_a_moment(scene: WatchScene) -> None:
    scene.look()
    scene.clock.instant += timedelta(seconds=90)
    scene.clock.stepped_s = 90
    scene.look()
    assert scene.level is KillLevel.K2_NO_NEW_RISK
    assert scene.alerts.open["RISK:RC-29"].startswith("The jump of the clock is 90 s; 1 s are allowed.")
    scene.look(2)
    assert (scene.level, scene.alerts.open) == (KillLevel.K0_NORMAL, {})


def hold(scene: WatchScene, lots: int) -> None:
    """Our books say that we hold so many lots of SP500."""
    details = contract(scene.scene)
    MongoContracts(scene.store).save(Contract.parse("SP500/20211200"), details, True, START)
    scene.store.database.contract_positions.replace_one(
        {"_id": "SP500/20211200"}, {"quantity": lots, "con_id": details.con_id, "v": 1}, upsert=True)


def test_rc_44_no_quote_of_what_is_held_is_told_and_nothing_else(scene: WatchScene) -> None:
    # given that we hold something of which there are no quotes
    hold(scene, 2)
    scene.scene.control.fault("quotes", style="none", seconds=600)
    scene.look()
    assert scene.alerts.open == {}

    # when that lasts for ten minutes
    scene.clock.instant += timedelta(minutes=10)
    scene.look()

    # then people are told, and nothing is stopped
    assert scene.alerts.open == {"RISK:RC-44": "No quote for 10 min of what we hold, while it is traded: "
                                               "SP500/20211200. Nothing is closed."}
    assert scene.level is KillLevel.K0_NORMAL

    # and what is held no more needs no quotes
    hold(scene, 0)
    scene.look()
    assert scene.alerts.open == {}


def test_rc_44_quotes_that_come_are_heard_however_long_it_is_held(scene: WatchScene) -> None:
    hold(scene, 2)
    for _ in range(4):
        scene.look()
        scene.clock.instant += timedelta(minutes=4)
    assert scene.alerts.open == {}


def test_rc_44_what_is_not_traded_now_needs_no_quotes(scene: WatchScene) -> None:
    hold(scene, 2)
    scene.scene.control.fault("quotes", style="none", seconds=600)
    scene.look()
    scene.clock.instant += timedelta(days=60)  # the broker tells the hours of the days to come only
    scene.look(2)
    assert scene.alerts.open == {}


def test_rc_27_a_strategy_that_loses_far_more_than_is_usual_only_reduces_and_the_others_trade_on(
        scene: WatchScene) -> None:
    days, overrides = MongoStrategyDays(scene.store), MongoOverrides(scene.store)
    days.save("2021-10-13", [StrategyDay(strategy="trend", result=-301.0, expected_vol=100.0),
                             StrategyDay(strategy="carry", result=-299.0, expected_vol=100.0)])
    scene.look()
    [override] = overrides.all()
    assert (override.override, override.strategy, override.instrument, override.who) == (
        REDUCE_ONLY, "trend", None, "risk watch")
    assert scene.alerts.open == {"RISK:RC-27": override.reason}
    assert override.reason.startswith("trend lost 301 today, and 300 is 3 times its daily volatility")
    assert scene.level is KillLevel.K0_NORMAL

    # when a person takes it back, then it stays so for the day
    overrides.put(replace(override, override=NO_OVERRIDE))
    scene.look(2)
    assert overrides.all() == []


def test_rc_27_a_person_who_has_forbidden_more_is_not_overruled(scene: WatchScene) -> None:
    overrides = MongoOverrides(scene.store)
    overrides.put(StoredOverride(strategy="trend", instrument=None, override=CLOSE, who="ann", reason="x", at=START))
    MongoStrategyDays(scene.store).save("2021-10-13", [StrategyDay(strategy="trend", result=-999, expected_vol=1)])
    scene.look()
    assert [(each.override, each.who) for each in overrides.all()] == [(CLOSE, "ann")]


def test_rc_27_yesterdays_loss_is_no_loss_of_today(scene: WatchScene) -> None:
    MongoStrategyDays(scene.store).save("2021-10-12", [StrategyDay(strategy="trend", result=-999, expected_vol=1)])
    scene.look()
    assert (MongoOverrides(scene.store).all(), scene.alerts.open) == ([], {})


def test_what_is_remembered_comes_back() -> None:
    track = AccountTrack(day="2021-10-13", day_began_at=5.0, high_water_mark=7.0, nav=NavTrack(good=6.0))
    assert AccountTrack.from_dict(track.as_dict()) == track
