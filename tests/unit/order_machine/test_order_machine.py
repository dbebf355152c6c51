"""The order code in a world that goes wrong: whatever happens, in whatever order, its promises hold.

The real handler, reader, books, gate and kill switch; a broker that is late, silent, contradicts itself and forgets; a
store that fails; deaths at every write; people who trade, edit, halt and change limits. orders_and_risk.md 7.1.
"""

import random
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from invariants import ALWAYS, AT_REST, side_of
from memory_orders import a_decision
from model_broker import NUMBERS, SPREAD, Known, Traded
from order_world import HARMLESS, QUOTES, Killed, OrderWorld
from stack_adapter import a_handler

from trading.execution.adjustments import Adjustment, AdjustmentKind, transfer
from trading.execution.broker_messages import MessageKind
from trading.execution.broker_orders import BrokerLifecycle
from trading.execution.fills import EXTERNAL
from trading.execution.locks import LockCause
from trading.execution.order_states import Flag
from trading.execution.orders import InstrumentOrder
from trading.execution.rolls.changes import ChangedBy, InvalidRollChange, RollChange, check_transition
from trading.execution.rolls.states import RollState, lowers_urgency
from trading.risk.kill_level import (
    Cause,
    Command,
    KillLevel,
    KillState,
    NotLowered,
    Scope,
    lowered,
    raised,
    restarted,
    resumed,
)
from trading.risk.order_kind import OrderKind
from trading.risk.overrides import CLOSE, NO_OPEN, NO_OVERRIDE, NO_TRADE, REDUCE_ONLY, Override, overridden_position
from trading.risk.position_limits import limited

pytestmark = pytest.mark.usefixtures("without_log_lines")
STRATEGIES = st.sampled_from(["trend", "carry"])
INSTRUMENTS = st.sampled_from(["SP500", "GOLD"])
PLACES = st.integers(0, 7)
PRICES = st.sampled_from([Decimal("99.5"), Decimal("100"), Decimal("-0.25")])
ENDS = ("Cancelled", "ApiCancelled")
WORDS = st.sampled_from(["Filled", "Inactive", "PendingCancel", "PendingSubmit", "ApiPending", "Submitted",
                         "ValidationError", "PreSubmitted", ""]) | st.text(max_size=12).filter(
                             lambda word: word not in ENDS)
CODES = st.sampled_from([10349, 399, 202, 2104, 10147, 161, 105, 110, 9999, 1100, 2148, 0])
OVERRIDES = st.sampled_from([NO_OVERRIDE, NO_OPEN, REDUCE_ONLY, CLOSE, NO_TRADE, Override(factor=0.5)])
STRIKES = st.tuples(st.integers(1, 6), st.booleans())


class OrderMachine(RuleBasedStateMachine):
    """Each rule is something that happens; then all invariants are checked."""

    steps = 0  # of all machines

    @initialize()
    def begin(self) -> None:
        self.world = OrderWorld()
        self.worker = a_handler(self.world)
        self.decisions: list[InstrumentOrder] = []
        self.limits = {"SP500": 8, "GOLD": 8}
        self.overrides = {"SP500": NO_OVERRIDE, "GOLD": NO_OVERRIDE}
        self.roll = RollState.NO_ROLL
        self.level, self.person_lowered = self.world.kill.level, False

    # --- decisions --------------------------------------------------------------------------------------------

    @rule(strategy=STRATEGIES, instrument=INSTRUMENTS, wanted=st.integers(-6, 6))
    def a_decision_is_submitted(self, strategy: str, instrument: str, wanted: int) -> None:
        lots = self._allowed(strategy, instrument, wanted)
        if lots:
            self._submit(a_decision(self._new_id(), lots, self.world.clock.now(), strategy=strategy,
                                    instrument=instrument, trading_day=self.world.today))

    def _allowed(self, strategy: str, instrument: str, target: int) -> int:
        """By the real rules of overrides and limits."""
        mine = self.world.store.positions.strategies.get((strategy, instrument), 0)
        open_orders = [each for each in self.world.orders.open_instrument_orders() if each.instrument == instrument]
        working = sum(each.residual for each in open_orders if each.strategy == strategy)
        wish = overridden_position(self.overrides[instrument], mine, target) - mine - working
        position = self.world.instrument_position(instrument)
        lots = limited(wish, position, sum(max(0, each.residual) for each in open_orders),
                       sum(max(0, -each.residual) for each in open_orders), self.limits[instrument])
        assert lots * wish >= 0, "V14: the sign"
        assert abs(lots) <= abs(wish), "V14: the size"
        return lots

    def _new_id(self) -> str:
        return f"IO-{len(self.decisions):026d}"

    def _submit(self, order: InstrumentOrder) -> None:
        self.decisions.append(order)
        self._safely(lambda: self.world.orders.add_instrument_order(order))

    @precondition(lambda self: self.decisions)
    @rule(place=PLACES)
    def a_decision_comes_again(self, place: int) -> None:
        order = self.decisions[place % len(self.decisions)]
        self._safely(lambda: self.world.orders.add_instrument_order(replace(order, id=f"{order.id}-again")))

    @rule(lots=st.sampled_from([-3, -1, 2]), as_spread=st.booleans())
    def a_roll_is_decided(self, lots: int, as_spread: bool) -> None:
        self._submit(a_decision(self._new_id(), 0, self.world.clock.now(), kind=OrderKind.ROLL, as_spread=as_spread,
                                roll_from="SP500/20260300", roll_to="SP500/20260600", roll_quantity=lots,
                                trading_day=self.world.today))

    @rule(instrument=INSTRUMENTS)
    def an_operator_flattens(self, instrument: str) -> None:
        lots = -self.world.instrument_position(instrument)
        if lots:
            self._submit(a_decision(self._new_id(), lots, self.world.clock.now(), instrument=instrument,
                                    kind=OrderKind.FLATTEN, trading_day=self.world.today))

    @rule(instrument=INSTRUMENTS, limit=st.integers(0, 8), override=OVERRIDES)
    def limits_and_overrides_change(self, instrument: str, limit: int, override: Override) -> None:
        self.limits[instrument], self.overrides[instrument] = limit, override

    @rule(new=st.sampled_from(RollState), by=st.sampled_from(ChangedBy))
    def the_roll_state_changes(self, new: RollState, by: ChangedBy) -> None:
        front = self.world.store.positions.contracts.get("SP500/20260300", 0)
        change = RollChange(instrument="SP500", old=self.roll, new=new, front=front, by=by, reason="looked at",
                            live_orders=len(self.world.orders.live_broker_orders()))
        try:
            allowed = check_transition(change)
        except InvalidRollChange:
            return
        assert not (front and by is ChangedBy.RULE and lowers_urgency(self.roll, allowed.new)), "V31"
        self.roll = allowed.new

    # --- the worker -------------------------------------------------------------------------------------------

    @rule(passes=st.integers(1, 3))
    def the_worker_works(self, passes: int) -> None:
        for _ in range(passes):
            self._safely(self._pass)

    def _pass(self) -> None:
        self.worker.reader.apply_new()
        self.world.compare()
        self.world.enforce_kill()
        self.worker.one_pass()
        strange = {order: why for order, why in self.worker.sick.items() if "makes no sense" not in why}
        assert not strange, f"V39: {strange}"

    def _safely(self, act: Any) -> None:
        try:
            act()
        except Killed:
            self.world.broker.disconnects()
            self.worker = a_handler(self.world)
        except HARMLESS:
            self.worker = a_handler(self.world)  # the job ends, and is started again

    @rule(strike=STRIKES)
    def it_will_die_at_a_write(self, strike: tuple[int, bool]) -> None:
        self.world.store.dies_at = strike

    @rule(strike=STRIKES)
    def the_store_will_fail(self, strike: tuple[int, bool]) -> None:
        self.world.store.fails_at = strike

    @rule()
    def the_worker_is_started_again(self) -> None:
        self.worker = a_handler(self.world)

    @rule(seconds=st.sampled_from([1, 3, 6, 30, 61, 3600, -3600]))
    def the_clock_moves(self, seconds: int) -> None:
        self.world.clock.advance(seconds)

    @rule(contract=st.sampled_from([*sorted(NUMBERS), SPREAD]), quote=st.sampled_from(
        [None, (Decimal("99.75"), Decimal("100")), (Decimal("-0.5"), Decimal("-0.25")), (Decimal("100"), Decimal("99")),
         (Decimal("NaN"), Decimal("100"))]))
    def a_quote_comes(self, contract: str, quote: tuple[Decimal, Decimal] | None) -> None:
        self.world.quotes[contract] = quote

    @rule(is_sick=st.booleans())
    def the_data_of_one_contract_turns_sick(self, is_sick: bool) -> None:
        """V39: whoever meets it must not take the others along."""
        self.world.sick = {"GOLD/20260600"} if is_sick else set()

    # --- the broker -------------------------------------------------------------------------------------------

    def _live(self) -> list[Known]:
        return self.world.broker.live()

    @precondition(lambda self: self._live())
    @rule(place=PLACES, lots=st.integers(1, 6), price=PRICES)
    def an_order_fills(self, place: int, lots: int, price: Decimal) -> None:
        known = self._live()[place % len(self._live())]
        self.world.broker.fills(known, min(lots, abs(known.left)), price)

    @precondition(lambda self: self._spreads())
    @rule(place=PLACES, month=st.integers(0, 1), price=PRICES)
    def one_month_of_a_spread_trades(self, place: int, month: int, price: Decimal) -> None:
        """Before the other, or long behind it, as it comes; also of an order that has ended."""
        self.world.broker.month_fills(self._spreads()[place % len(self._spreads())], month, price)

    def _spreads(self) -> list[Known]:
        return [each for each in self.world.broker.orders.values() if each.months and each.left]

    @precondition(lambda self: self._live())
    @rule(place=PLACES)
    def an_order_comes_to_the_exchange(self, place: int) -> None:
        self.world.broker.works(self._live()[place % len(self._live())])

    @precondition(lambda self: self._live())
    @rule(place=PLACES, word=st.sampled_from(ENDS))
    def the_broker_ends_an_order(self, place: int, word: str) -> None:
        self.world.broker.ends(self._live()[place % len(self._live())], word)

    @precondition(lambda self: any(not each.most_traded for each in self._live()))
    @rule(place=PLACES)
    def the_broker_rejects_an_order(self, place: int) -> None:
        fresh = [each for each in self._live() if not each.most_traded]
        self.world.broker.rejects(fresh[place % len(fresh)])

    @precondition(lambda self: any(not each.is_live and each.left for each in self.world.broker.orders.values()))
    @rule(place=PLACES)
    def a_fill_comes_behind_an_end(self, place: int) -> None:
        over = [each for each in self.world.broker.orders.values() if not each.is_live and each.left]
        self.world.broker.fills(over[place % len(over)], 1, Decimal(100))

    @precondition(lambda self: self._live())
    @rule(place=PLACES, limit=PRICES, more=st.sampled_from([0, 0, 1, -1]))
    def a_person_edits_an_order_at_the_broker(self, place: int, limit: Decimal, more: int) -> None:
        known = self._live()[place % len(self._live())]
        lots = abs(known.quantity) + more
        if lots > known.most_traded:
            self.world.broker.edits(known, limit, lots if known.quantity > 0 else -lots)

    @precondition(lambda self: self.world.broker.trades)
    @rule(place=PLACES, lots=st.integers(0, 3), price=PRICES)
    def an_execution_is_corrected_or_busted(self, place: int, lots: int, price: Decimal) -> None:
        trades = list(self.world.broker.trades.values())
        trade = trades[place % len(trades)]
        sign = -1 if self._side(trade) < 0 else 1
        self.world.broker.trade(replace(trade, revision=trade.revision + 1, quantity=sign * lots, price=price))

    def _side(self, trade: Traded) -> int:
        order = self.world.store.broker.get(trade.reference)
        return trade.quantity if order is None else side_of(order, trade.con_id)

    @precondition(lambda self: len(self.decisions) % 4 == 3)
    @rule(number=st.sampled_from(sorted(NUMBERS.values())), lots=st.sampled_from([-2, 1, 3]), liquidates=st.booleans())
    def somebody_else_trades(self, number: int, lots: int, liquidates: bool) -> None:
        self.world.broker.trade(Traded(base=f"0009.{len(self.world.broker.trades):04d}", revision=1, reference="",
                                       perm_id=77, con_id=number, quantity=lots, price=Decimal(99),
                                       liquidation=liquidates))

    @precondition(lambda self: self.world.broker.orders)
    @rule(place=PLACES, word=WORDS)
    def a_status_says_anything(self, place: int, word: str) -> None:
        """Any word but an end, whether it is true or not."""
        known = list(self.world.broker.orders.values())[place % len(self.world.broker.orders)]
        self.world.broker.say(MessageKind.ORDER_STATUS, ib_order_id=0, reference=known.reference, con_id=known.con_id,
                              perm_id=known.perm_id, status=word, filled=float(abs(known.filled)))

    @precondition(lambda self: self.world.wire)
    @rule(place=PLACES, code=CODES)
    def an_error_comes(self, place: int, code: int) -> None:
        order = self.world.wire[place % len(self.world.wire)].order
        self.world.broker.say(MessageKind.ERROR, request_id=order.ib_order_id, code=code, text="something")

    @precondition(lambda self: self.world.broker.trades and not self.world.store.will_strike)
    @rule(place=PLACES, amount=st.sampled_from(["2.05", "1", None]), currency=st.sampled_from(["USD", "EUR", ""]))
    def a_commission_comes(self, place: int, amount: str | None, currency: str) -> None:
        """V34: late, first, twice, of another currency or unknown, it moves nothing."""
        trade = list(self.world.broker.trades.values())[place % len(self.world.broker.trades)]
        self._safely(self.worker.reader.apply_new)
        before = self._quantities()
        self.world.broker.say(MessageKind.COMMISSION, execution_id=f"{trade.base}.{trade.revision:02d}", amount=amount,
                              currency=currency)
        self.world.broker.arrives(len(self.world.broker.on_the_way) - 1, self.world.clock.now())
        self._safely(self.worker.reader.apply_new)
        if self.world.broker.is_linked:
            assert self._quantities() == before, "V34"

    def _quantities(self) -> object:
        return ([(each.id, each.lifecycle, each.filled) for each in self.world.store.broker.values()],
                self.world.store.positions)

    # --- messages and the connection --------------------------------------------------------------------------

    @precondition(lambda self: self.world.broker.on_the_way)
    @rule(places=st.lists(PLACES, min_size=1, max_size=6), again=st.booleans())
    def messages_arrive_in_any_order(self, places: list[int], again: bool) -> None:
        for place in places:
            if self.world.broker.on_the_way:
                self.world.broker.arrives(place % len(self.world.broker.on_the_way), self.world.clock.now(), again)

    @rule()
    def all_messages_arrive(self) -> None:
        self.world.broker.all_arrives(self.world.clock.now())

    @rule(order=st.booleans(), cancel=st.booleans())
    def the_next_message_to_the_broker_is_lost(self, order: bool, cancel: bool) -> None:
        self.world.broker.loses_next_order, self.world.broker.loses_next_cancel = order, cancel

    @precondition(lambda self: self.world.broker.is_linked)
    @rule()
    def the_connection_breaks(self) -> None:
        self.world.broker.disconnects()

    @precondition(lambda self: not self.world.broker.is_linked)
    @rule(goes_back=st.booleans())
    def the_connection_comes_back(self, goes_back: bool) -> None:
        self._reconnect(1 if goes_back else self.world.next_id + 1)

    def _reconnect(self, offered: int) -> None:
        self.world.next_id = offered
        self.world.broker.reconnects(offered, self.world.clock.now())

    @precondition(lambda self: self.world.broker.is_linked)
    @rule()
    def the_day_ends(self) -> None:
        """Day orders end at the broker, which then forgets them; executions it keeps."""
        for known in self._live():
            self.world.broker.ends(known, "Cancelled")
        self.world.broker.all_arrives(self.world.clock.now())
        self.world.broker.forget_day()
        day = self.world.clock.now() + timedelta(hours=12)
        self.world.clock.instant, self.world.today = day, f"{day.date()}"
        self.worker = a_handler(self.world)

    # --- levels -----------------------------------------------------------------------------------------------

    @rule(level=st.sampled_from([KillLevel.K2_NO_NEW_RISK, KillLevel.K3_HALT, KillLevel.K5_SEVER]),
          cause=st.sampled_from(Cause))
    def a_level_is_raised(self, level: KillLevel, cause: Cause) -> None:
        self.world.kill = raised(self.world.kill, level, self._command(is_person=False, cause=cause))

    @rule(instrument=INSTRUMENTS, cancels=st.booleans())
    def an_instrument_is_paused(self, instrument: str, cancels: bool) -> None:
        self.world.kill = raised(self.world.kill, KillLevel.K1_PAUSE_SCOPE, self._command(is_person=True),
                                 Scope(instrument=instrument), cancels_working=cancels)

    @rule(is_person=st.booleans(), to=st.sampled_from([KillLevel.K0_NORMAL, KillLevel.K3_HALT]))
    def a_level_is_lowered(self, is_person: bool, to: KillLevel) -> None:
        by = self._command(is_person=is_person)
        try:
            self.world.kill = lowered(restarted(self.world.kill, by), min(to, self.world.kill.level), by)
        except NotLowered:
            return
        self.person_lowered = is_person

    @precondition(lambda self: self.world.kill != KillState() or self.world.flag or self.world.store.locks)
    @rule()
    def a_person_clears_everything(self) -> None:
        """What others traded is assigned, locks are opened, the level is lowered, the flag is taken up."""
        by = self._command(is_person=True)
        for level in (KillLevel.K3_HALT, KillLevel.K0_NORMAL):
            self.world.kill = lowered(restarted(self.world.kill, by), min(level, self.world.kill.level), by)
        for pause in self.world.kill.pauses:
            self.world.kill = resumed(self.world.kill, pause.scope, by)
        self.person_lowered, self.world.flag = True, False
        self._safely(self._clear_the_books)

    def _clear_the_books(self) -> None:
        for instrument, lots in self.world.store.positions.external.items():
            number = len(self.world.store.adjustments)
            self.world.books.adjust(Adjustment(
                id=f"A-{number}", kind=AdjustmentKind.TRANSFER, who="ann", reason="assigned", at=self.world.clock.now(),
                entries=transfer(instrument, EXTERNAL, "trend", lots)))
        for lock in self.world.locks.all():
            if lock.cause is not LockCause.UNKNOWN_ORDER:
                self.world.locks.unlock(lock.id, "looked at", self.world.clock.now())

    @precondition(lambda self: self.decisions)
    @rule(passes=st.integers(2, 6), fills=st.booleans())
    def all_goes_well_for_a_while(self, passes: int, fills: bool) -> None:
        for _ in range(passes):
            self.world.broker.all_arrives(self.world.clock.now())
            self._safely(self._pass)
            self.world.clock.advance(2)
            for known in self._live() if fills else ():
                self.world.broker.fills(known, 1, Decimal(100))

    @rule(is_set=st.booleans())
    def the_halt_flag_is_laid_down_or_taken_up(self, is_set: bool) -> None:
        self.world.flag = is_set

    def _command(self, is_person: bool, cause: Cause = Cause.OPERATOR) -> Command:
        return Command(who="ann" if is_person else "a program", why="a test", when=self.world.clock.now(),
                       is_person=is_person, cause=cause)

    # --- promises ---------------------------------------------------------------------------------------------

    @invariant()
    def every_invariant_holds(self) -> None:
        OrderMachine.steps += 1
        self.world.seen_locks |= set(self.world.store.locks)
        for promise in ALWAYS:
            found = next(promise(self.world), None)
            assert found is None, f"{promise.__name__.upper()}: {found}"

    @invariant()
    def a_level_falls_by_a_person_only(self) -> None:
        assert self.world.kill.level >= self.level or self.person_lowered, "V18"
        self.level, self.person_lowered = self.world.kill.level, False

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self._heal()
            self._come_to_rest()
            self.every_invariant_holds()
            for promise in AT_REST:
                found = next(promise(self.world), None)
                assert found is None, f"{promise.__name__.upper()}: {found}"
            self._everything_is_read_again()

    def _heal(self) -> None:
        self.world.store.dies_at = self.world.store.fails_at = None
        self.world.sick, self.world.flag = set(), False
        self.world.quotes = dict(QUOTES)
        self.world.broker.loses_next_order = self.world.broker.loses_next_cancel = False
        self.worker = a_handler(self.world)
        if not self.world.broker.is_linked:
            self._reconnect(self.world.next_id + 1)

    def _come_to_rest(self) -> None:
        """A fair broker: what works is filled, what is asked is done."""
        for _ in range(40):
            for known in self._live():
                self.world.broker.fills(known, abs(known.left), Decimal(100))
            self.world.broker.all_arrives(self.world.clock.now())
            self._safely(self._pass)
            self.world.clock.advance(7)
            if not (self._live() or self.world.broker.on_the_way or self.world.orders.live_broker_orders()
                    or self.world.orders.open_contract_orders()):
                break
        self.world.broker.all_arrives(self.world.clock.now())
        self._safely(self._pass)

    def _everything_is_read_again(self) -> None:
        """V6, V24: the same messages once more, in another order, change nothing.

        Save for an order of which newer answers knew nothing: what is older than those answers cannot come after them.
        And save for one that is edited at the broker and lives: whichever terms are told last are taken to be its own.
        """
        before = self._by_id()
        again = list(self.world.broker.journal)
        random.Random(len(again)).shuffle(again)
        if again:
            self.worker.reader.apply(again)
        after = self._by_id()
        changed = {key: (was, after.get(key)) for key, was in before.items() if after.get(key) != was}
        assert not changed, f"V6: {changed}"

    def _by_id(self) -> dict[str, object]:
        return {"positions": self.world.store.positions,
                **{each.id: (each.lifecycle, each.filled) for each in self.world.store.broker.values()
                   if each.lifecycle is not BrokerLifecycle.UNKNOWN
                   and not (each.may_be_alive and Flag.MANUAL_TOUCH in each.flags)}}


USUAL = settings(max_examples=150, stateful_step_count=50, deadline=None, print_blob=True,
                 suppress_health_check=list(HealthCheck))


class TestOrders(OrderMachine.TestCase):  # type: ignore[misc, valid-type]  # made by Hypothesis
    settings = USUAL


@pytest.mark.soak
@pytest.mark.timeout(3600)  # some minutes on a machine that has nothing else to do
def test_orders_for_a_hundred_thousand_steps() -> None:
    number = random.SystemRandom().randrange(2**32)
    print(f"seed {number}")  # to begin with it again
    OrderMachine.steps = 0
    run_state_machine_as_test(seed(number)(OrderMachine),
                              settings=settings(USUAL, max_examples=4000, stateful_step_count=100))
    assert OrderMachine.steps >= 100_000
