"""The order generator against a real store: what overrides, limits and controls make of a wish, and why it is so."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from processes.job import JobContext
from processes.run_strategy_order_generator import run
from trading.config import Mode, StrategyConfig, load_config
from trading.data.data_blob import DataBlob
from trading.data.mongo.connection import MongoStore
from trading.data.mongo.controls import StoredOverride
from trading.data.mongo.instruments import InstrumentRecord
from trading.data.mongo.roll_states import StoredRollState
from trading.data.risk.decision_facts import decision_facts
from trading.data.risk.strategy_results import strategy_days
from trading.errors import JobIncomplete
from trading.execution.adjustments import Adjustment, AdjustmentKind, Entry
from trading.execution.fills import Fill
from trading.execution.order_states import CloseReason, Hold, Lifecycle
from trading.execution.orders import InstrumentOrder
from trading.execution.rolls.states import RollState
from trading.objects.capital import Capital
from trading.objects.contracts import Contract
from trading.objects.instruments import Instrument
from trading.objects.multiple_prices import ContractSet, rows_of
from trading.objects.rolls import RollParameters
from trading.risk.kill_level import Command, KillLevel, KillState, raised
from trading.risk.limits import Limit, LimitKind
from trading.risk.order_kind import OrderKind
from trading.risk.overrides import Override, parse_override
from trading.systems.buffered_position import BufferedPosition
from trading.systems.provenance import Provenance

CODE, NOW, DAY = "WAVE", datetime(2021, 10, 13, 20, tzinfo=UTC), date(2021, 10, 13)
ROLLS = RollParameters(hold_cycle="HMUZ", priced_cycle="HMUZ", roll_offset_days=-5, carry_offset=1,
                       expiry_offset_days=14)
HELD = ContractSet.of(Contract.of(CODE, "20211200").month, ROLLS)
CONTRACT = f"{CODE}/20211200"
SOURCE = Provenance(**dict.fromkeys(Provenance.__dataclass_fields__, "x"))  # type: ignore[arg-type]


class AtNight:
    def now(self) -> datetime:
        return NOW

    def monotonic_s(self) -> float:
        return 0.0


class Scene:
    """One instrument, one strategy `s`, prices of a hundred days, a million of capital."""

    def __init__(self, store: MongoStore, folder: Path) -> None:
        config = load_config(folder)
        self.config = replace(config, strategies={"s": StrategyConfig(system={"percentage_vol_target": 20.0})})
        self.folder = folder
        self.data = DataBlob(store=store, clock=AtNight(), socket=folder / "none.sock")
        instrument = Instrument(code=CODE, point_size=50.0, currency="USD", asset_class="Equity", slippage=0.125)
        self.data.db_instruments.save_all({CODE: InstrumentRecord(instrument=instrument, rolls=ROLLS, broker=None)})
        days = pd.bdate_range(end="2021-10-13", periods=100, tz="UTC", unit="ms")
        prices = pd.Series(100 + np.sin(np.arange(100)), days)
        rows = rows_of(HELD, {HELD.price: prices, HELD.forward: prices + 1})
        self.data.db_multiple_prices.append(CODE, rows)
        self.data.db_adjusted_prices.append(CODE, rows["PRICE"])
        self.data.db_capital.save("2021-10-12", Capital.opened_with(1_000_000.0))

    def wants(self, optimal: float, width: float = 0.4, previous: float | None = None,
              usual_change: float | None = 2.0) -> None:
        wanted = BufferedPosition(
            lower=optimal - width, upper=optimal + width, optimal=optimal, reference_price=100.0,
            reference_contract="20211200", as_of=NOW, usual_change=usual_change,
            previous=optimal if previous is None else previous)
        self.data.db_optimal_positions.save("s", CODE, DAY.isoformat(), wanted, SOURCE)

    def holds(self, lots: int) -> None:
        entry = Entry(strategy="s", instrument=CODE, contract=CONTRACT, con_id=1, lots=lots)
        self.data.db_books.adjust(Adjustment(id="A-1", kind=AdjustmentKind.OPENING, entries=(entry,),
                                             reason="from before", who="ann", at=NOW))

    def rolls(self, state: RollState, since: date = DAY) -> None:
        """As a person has set it."""
        self.data.db_roll_states.put(StoredRollState(instrument=CODE, state=state, reason="it is time", who="ann",
                                                     at=NOW, day=since.isoformat(), front=CONTRACT))

    def override(self, words: str) -> None:
        self.data.db_overrides.put(StoredOverride(strategy=None, instrument=CODE, override=parse_override(words),
                                                  who="ann", reason="strange", at=NOW))

    def generates(self) -> list[InstrumentOrder]:
        """Every order that there is after a run."""
        name = "run_strategy_order_generator"
        run(JobContext(config=self.config, data=self.data, clock=AtNight(), state=self.folder, trading_day=DAY,
                       run_id="r", process=self.config.processes[name], slot="s", attempt=1, fence=1,
                       stop_requested=lambda: False, is_fenced_out=lambda: False))
        rows = self.data.store.database.instrument_orders.find({}, {"_id": 1}).sort("_id", 1)
        return [self.data.db_orders.instrument_order(row["_id"]) for row in rows]


@pytest.fixture
def scene(store: MongoStore, tmp_path: Path) -> Scene:
    return Scene(store, tmp_path)


def test_a_wish_becomes_one_order_with_every_answer_on_it_however_often_it_is_decided(scene: Scene) -> None:
    scene.wants(3.0)
    scene.generates()
    [order] = scene.generates()
    assert (order.kind, order.quantity, order.lifecycle) == (OrderKind.STRATEGY, 3, Lifecycle.OPEN)
    assert (order.target, order.held, order.working) == (3, 0, 0)
    assert {"RC-01", "RC-03", "RC-04", "RC-06", "RC-09", "RC-23", "RC-28", "RC-32"} <= {
        check.control for check in order.checks}


def test_a_position_inside_its_buffer_makes_no_order(scene: Scene) -> None:
    scene.holds(3)
    scene.wants(3.2)
    assert scene.generates() == []


def test_pst_822_an_override_closes_without_any_wish(scene: Scene) -> None:
    scene.holds(4)
    scene.override("close")
    [order] = scene.generates()
    assert (order.kind, order.quantity, order.reason) == (OrderKind.CLOSE_OUT, -4, "it is to be closed")


@pytest.mark.parametrize(("optimal", "lots"), [(-5.0, -2), (5.0, 2)])
def test_half_of_a_short_is_as_large_as_half_of_a_long(scene: Scene, optimal: float, lots: int) -> None:
    scene.wants(optimal)
    scene.override("0.5")
    assert [order.quantity for order in scene.generates()] == [lots]


def test_nothing_at_all_is_traded_where_a_person_says_so(scene: Scene) -> None:
    scene.holds(4)
    scene.wants(0.0)
    scene.override("no-trade")
    assert scene.generates() == []


def test_a_limit_below_the_position_brings_it_down_and_never_turns_it(scene: Scene) -> None:
    scene.holds(9)
    scene.wants(9.0)
    scene.data.db_limits.put(Limit(kind=LimitKind.POSITION, instrument=CODE, lots=5, who="ann", reason="thin", at=NOW))
    [order] = scene.generates()
    assert (order.quantity, order.target) == (-4, 5)


def test_the_limits_in_force_are_kept_for_those_who_watch(scene: Scene) -> None:
    # given a limit that nobody has set
    scene.generates()
    computed = scene.data.db_limits_in_force.load()
    assert computed[CODE] > 5

    # when a person sets one
    scene.data.db_limits.put(Limit(kind=LimitKind.POSITION, instrument=CODE, lots=5, who="ann", reason="thin", at=NOW))
    scene.generates()
    assert scene.data.db_limits_in_force.load() == {CODE: 5}


def bought(quantity: int, price: str, commission: str | None = None) -> Fill:
    return Fill(id=f"F{quantity}", execution_id="e", revision=1, broker_order="b", contract=CONTRACT, con_id=1,
                quantity=quantity, price=Decimal(price), at=NOW, trading_day=DAY.isoformat(), strategy="s",
                instrument=CODE, commission=None if commission is None else Decimal(commission))


def test_rc_27_what_a_strategy_made_today_is_kept_beside_what_is_usual(scene: Scene) -> None:
    # given three lots since yesterday; the price moves by a sine a day, and a point is worth 50
    scene.holds(3)
    scene.wants(3.0)
    scene.generates()
    [found] = scene.data.db_strategy_days.load(DAY.isoformat())
    assert found.strategy == "s"
    assert found.result == pytest.approx(3 * 50 * (np.sin(99) - np.sin(98)))
    facts = decision_facts(scene.data, scene.config, DAY)
    usual = float(np.std(np.diff(100 + np.sin(np.arange(100))), ddof=1)) * 3 * 50
    assert found.expected_vol == pytest.approx(usual, rel=0.02)
    assert facts.daily_vol({}) == 0.0


def test_rc_27_what_was_traded_today_counts_from_its_price_and_costs_its_commission(scene: Scene) -> None:
    scene.holds(3)
    close = 100 + np.sin(99)
    bars = pd.DataFrame({"OPEN": close, "HIGH": close, "LOW": close, "FINAL": close, "VOLUME": 1.0},
                        pd.DatetimeIndex(["2021-10-13"], tz="UTC").as_unit("ms"))
    scene.data.db_contract_prices.append(Contract.parse(CONTRACT), bars)
    facts = decision_facts(scene.data, scene.config, DAY)
    [found] = strategy_days(facts, [bought(2, "100", "2.50")])
    held, traded = 1 * (np.sin(99) - np.sin(98)), 2 * (close - 100)
    assert found.result == pytest.approx(50 * (held + traded) - 2.5)


@pytest.mark.parametrize("fills", [[], [bought(2, "100")]], ids=["nothing traded", "a price that nobody knows"])
def test_rc_27_what_is_not_known_is_not_guessed(scene: Scene, fills: list[Fill]) -> None:
    """On the day after there is no close yet; and of the contract that was bought there is none at all."""
    scene.holds(3)
    day = DAY if fills else DAY + timedelta(days=1)
    assert list(strategy_days(decision_facts(scene.data, scene.config, day), fills)) == []


def test_a_limit_cuts_a_wish(scene: Scene) -> None:
    scene.wants(9.0)
    scene.data.db_limits.put(Limit(kind=LimitKind.POSITION, instrument=CODE, strategy="s", lots=2))
    assert [order.quantity for order in scene.generates()] == [2]


def test_chaos_12_a_target_a_hundred_times_too_large_waits_for_a_person(scene: Scene) -> None:
    scene.wants(12.0, previous=0.2, usual_change=0.5)
    [order] = scene.generates()
    assert (order.lifecycle, order.holds) == (Lifecycle.CREATED, {Hold.APPROVAL})
    assert "A person must approve" in order.checks[-1].sentence


def test_an_order_that_is_too_dear_is_denied_and_says_why(scene: Scene) -> None:
    scene.data.db_capital.save("2021-10-13", Capital.opened_with(20_000.0))
    scene.data.db_limits.put(Limit(kind=LimitKind.POSITION, instrument=CODE, lots=50))
    scene.data.db_limits.put(Limit(kind=LimitKind.POSITION, instrument=CODE, strategy="s", lots=50))
    scene.wants(20.0)
    [order] = scene.generates()
    assert (order.lifecycle, order.close_reason) == (Lifecycle.CLOSED, CloseReason.DENIED)
    assert order.checks[-1].sentence


def test_at_no_new_risk_only_reductions_are_ordered(scene: Scene) -> None:
    ann = Command(who="ann", why="strange prices", when=NOW, is_person=True)
    scene.data.db_kill_state.save(raised(KillState(), KillLevel.K2_NO_NEW_RISK, ann))
    scene.holds(5)
    scene.wants(2.0)
    assert [(order.quantity, order.is_open) for order in scene.generates()] == [(-3, True)]


def test_pst_1578_what_the_strategy_no_longer_trades_is_closed(scene: Scene) -> None:
    scene.holds(3)
    scene.config = replace(scene.config, strategies={"s": StrategyConfig(system={"instruments": ["OTHER"]})})
    [order] = scene.generates()
    assert (order.kind, order.quantity) == (OrderKind.CLOSE_OUT, -3)


def test_a_wish_that_is_no_number_stops_nobody(scene: Scene) -> None:
    scene.wants(float("nan"))
    assert scene.generates() == []


def test_a_position_in_a_contract_that_has_ended_waits_for_a_person(scene: Scene) -> None:
    entry = Entry(strategy="s", instrument=CODE, contract=f"{CODE}/20210900", con_id=2, lots=2)
    scene.data.db_books.adjust(Adjustment(id="A-2", kind=AdjustmentKind.OPENING, entries=(entry,), reason="old",
                                          who="ann", at=NOW))
    scene.wants(2.0)
    assert scene.generates() == []
    row = scene.data.db_roll_states.all()[CODE]
    assert row.state is RollState.EXPIRED_HOLD
    assert "+2 lots" in row.reason


@pytest.mark.parametrize(("optimal", "trade", "rolled"), [(5.0, None, 5), (3.0, -2, 3), (7.0, 2, 5), (0.0, -5, None)])
def test_pst_1278_a_forced_roll_is_one_order_for_what_the_strategy_does_not_sell(
        scene: Scene, optimal: float, trade: int | None, rolled: int | None) -> None:
    scene.holds(5)
    scene.wants(optimal)
    scene.rolls(RollState.FORCE_OUTRIGHT)
    scene.generates()
    orders = {order.kind: order for order in scene.generates()}
    strategy, roll = orders.get(OrderKind.STRATEGY), orders.get(OrderKind.ROLL)
    assert (strategy and strategy.quantity, roll and roll.roll_quantity) == (trade, rolled)
    if roll is not None:
        assert (roll.roll_from, roll.roll_to) == (CONTRACT, f"{CODE}/20220300")
        assert (roll.lifecycle, roll.strategy, roll.quantity) == (Lifecycle.OPEN, "s", 0)
        assert {"RC-01", "RC-02", "RC-28"} <= {check.control for check in roll.checks}


def test_pst_822_nothing_wanted_of_a_strategy_holds_no_roll_up(scene: Scene) -> None:
    scene.holds(5)
    scene.rolls(RollState.FORCE_OUTRIGHT)
    scene.override("reduce_only")
    [order] = scene.generates()
    assert (order.kind, order.roll_quantity, order.lifecycle) == (OrderKind.ROLL, 5, Lifecycle.OPEN)


def test_what_may_not_be_traded_is_not_rolled(scene: Scene) -> None:
    scene.holds(5)
    scene.rolls(RollState.FORCE_OUTRIGHT)
    scene.override("no_trade")
    [order] = scene.generates()
    assert (order.kind, order.close_reason, order.checks[-1].control) == (
        OrderKind.ROLL, CloseReason.DENIED, "RC-02")


def test_a_contract_that_must_be_left_is_closed_out_once(scene: Scene) -> None:
    scene.holds(5)
    scene.rolls(RollState.CLOSE)
    scene.generates()
    [order] = scene.generates()
    assert (order.kind, order.quantity, order.contract, order.lifecycle) == (
        OrderKind.CLOSE_OUT, -5, CONTRACT, Lifecycle.OPEN)
    assert ("RC-43", "PASS") in [(check.control, check.outcome) for check in order.checks]


LOST = "LOST"


def holds_without_prices(scene: Scene, asset_class: str, month: str = "20211000") -> None:
    """A position in an instrument of which no price is stored."""
    instrument = Instrument(code=LOST, point_size=1.0, currency="USD", asset_class=asset_class)
    rolls = replace(ROLLS, hold_cycle="FGHJKMNQUVXZ", priced_cycle="FGHJKMNQUVXZ")
    record = InstrumentRecord(instrument=instrument, rolls=rolls, broker=None)
    scene.data.db_instruments.save_all({**scene.data.db_instruments.load_all(), LOST: record})
    entry = Entry(strategy="s", instrument=LOST, contract=f"{LOST}/{month}", con_id=2, lots=5)
    scene.data.db_books.adjust(Adjustment(id="A-2", kind=AdjustmentKind.OPENING, entries=(entry,),
                                          reason="from before", who="ann", at=NOW))


def test_chaos_22_a_contract_without_any_price_is_left_by_its_dates_and_stops_nobody(scene: Scene) -> None:
    # given a contract that may be delivered from October on, on the 13th of October
    scene.config = replace(scene.config, service=scene.config.service.model_copy(update={"mode": Mode.PAPER}))
    holds_without_prices(scene, "Ags")
    scene.holds(3)
    scene.wants(1.0)
    made = {order.instrument: order for order in scene.generates()}
    assert (made[CODE].quantity, made[CODE].lifecycle) == (-2, Lifecycle.OPEN)
    closing = made[LOST]
    assert (closing.kind, closing.quantity, closing.contract, closing.lifecycle) == (
        OrderKind.CLOSE_OUT, -5, f"{LOST}/20211000", Lifecycle.OPEN)


def test_a_contract_without_any_price_that_need_not_be_left_stays_and_nothing_adds_risk(scene: Scene) -> None:
    holds_without_prices(scene, "Equity", "20220300")
    scene.wants(3.0)
    [order] = scene.generates()
    assert (order.instrument, order.close_reason) == (CODE, CloseReason.DENIED)
    assert "What the orders make of the portfolio is unknown" in order.checks[-1].sentence
    assert scene.data.db_roll_states.all()[LOST].state is RollState.NO_ROLL


def test_a_position_in_an_instrument_that_nobody_knows_stops_nobody_and_is_told(scene: Scene) -> None:
    entry = Entry(strategy="s", instrument=LOST, contract=f"{LOST}/20220300", con_id=2, lots=5)
    scene.data.db_books.adjust(Adjustment(id="A-2", kind=AdjustmentKind.OPENING, who="ann", reason="of old", at=NOW,
                                          entries=(entry,)))
    scene.holds(3)
    scene.wants(1.0)
    with pytest.raises(JobIncomplete, match=r"the roll of LOST \(There is no instrument LOST"):
        scene.generates()
    [order] = scene.data.db_orders.open_instrument_orders()
    assert (order.instrument, order.quantity) == (CODE, -2)


def test_an_override_that_changes_nothing_is_none(scene: Scene) -> None:
    scene.override("none")
    assert scene.data.db_overrides.of("s", CODE) == Override()


@pytest.mark.parametrize(("since", "state", "as_spread"), [
    (DAY, RollState.FORCE_SPREAD, True), (date(2021, 10, 12), RollState.FORCE_SPREAD, True),
    (date(2021, 10, 11), RollState.FORCE_OUTRIGHT, False), (date(2021, 10, 8), RollState.FORCE_OUTRIGHT, False)])
def test_a_spread_that_has_not_rolled_in_two_sessions_is_given_up_for_outrights(
        scene: Scene, since: date, state: RollState, as_spread: bool) -> None:
    scene.holds(4)
    scene.wants(4.0)
    scene.rolls(RollState.FORCE_SPREAD, since)
    [roll] = scene.generates()
    assert (roll.kind, roll.roll_quantity, roll.as_spread) == (OrderKind.ROLL, 4, as_spread)
    stored = scene.data.db_roll_states.all()[CODE]
    assert stored.state is state
    given_up = f"the spread has not moved all of it since {since}, so each month is traded by itself"
    assert stored.reason == ("it is time" if as_spread else given_up)
