"""Works contract orders: shows each one's algo the world, and does what the algo asks for. None knows of another.

A new broker order is only noted; those of some contract orders are stored together, and sent when all of them are.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from trading.clock import Clock
from trading.errors import BrokerError, BrokerUnavailable
from trading.execution.algos.choice import Choice, begin, choose, step
from trading.execution.algos.frame import (
    ENDING,
    PARTICIPATION,
    Action,
    AlgoState,
    Cancel,
    Change,
    Finish,
    Look,
    Phase,
    Place,
    Tell,
    Terms,
)
from trading.execution.broker_orders import BrokerLifecycle, BrokerOrder
from trading.execution.broker_terms import good_till
from trading.execution.locks import Lock, LockCause, Standing
from trading.execution.order_ids import child_number
from trading.execution.order_states import CloseReason, ExecutionStyle, Flag, Hold, Lifecycle
from trading.execution.orders import ContractOrder, front_and_forward
from trading.execution.ports import BrokerOrders, Intent, Locks, Market, OrderStore, Sender
from trading.execution.price_grid import PriceGrid
from trading.execution.quotes import Touch
from trading.execution.rolls.pace import forward_pace, front_pace, is_crowded
from trading.execution.stack_handler.child_orders import ChildOrders, Controls, Intended
from trading.execution.uneven_rolls import alone
from trading.log import get_log
from trading.risk.check import Outcome
from trading.risk.controls.account import ASKS_THE_BROKER
from trading.risk.order_kind import OrderKind

log = get_log()
ALONE_FOR: Final = timedelta(seconds=30)  # that one month of a spread may be ahead (orders_and_risk.md 5.6, 5)
SOON_OVER: Final = frozenset({"RC-16", "RC-18", "RC-19", "RC-20", "RC-21", ASKS_THE_BROKER})  # while others trade
CLOSE_REASONS: Final = {
    Finish.FILLED: CloseReason.FILLED, Finish.CANCELLED: CloseReason.CANCELLED, Finish.DEADLINE: CloseReason.EXPIRED,
    Finish.NO_QUOTE: CloseReason.EXPIRED, Finish.SESSION_ENDS: CloseReason.EXPIRED,
    Finish.ATTEMPTS: CloseReason.EXPIRED, Finish.REFUSED: CloseReason.REJECTED}


@dataclass(frozen=True, kw_only=True)
class Manners:
    """How orders are worked: the usual style, and how long a marketable one may rest."""

    usual_style: ExecutionStyle
    patience: timedelta
    participation: Decimal = PARTICIPATION  # of the market's volume, for an order that goes with it
    good_till_date: bool = True  # orders end by themselves soon after their algo should have ended them

    def style_for(self, wanted: ExecutionStyle) -> ExecutionStyle:
        """The usual style where the order leaves it open; where nobody is to wait, also a roll is not patient."""
        if wanted is ExecutionStyle.PASSIVE_ONLY and self.usual_style is ExecutionStyle.MARKETABLE:
            return self.usual_style
        return self.usual_style if wanted is ExecutionStyle.BEST else wanted


@dataclass(frozen=True, kw_only=True)
class Turn:
    """What a contract order may do now: send, in orders of at most so many lots; wait for another; or end."""

    most_lots: int
    waits: str = ""  # why nothing new is sent for it, for long
    rests: bool = False  # the same for less than a minute
    behind: str = ""  # the other leg of a roll, which goes first
    must_withdraw: bool = False
    is_over: bool = False

    @property
    def may_send(self) -> bool:
        return not (self.waits or self.rests or self.behind)


@dataclass(kw_only=True)
class AlgoWorker:
    """The hands of all algos; what an algo remembers is stored with its order."""

    orders: OrderStore
    market: Market
    sender: Sender
    locks: Locks
    controls: Controls
    clock: Clock
    manners: Manners
    waits: dict[str, str] = field(default_factory=dict)  # contract order -> why it cannot go on now
    told: dict[str, str] = field(default_factory=dict)  # contract order -> the control that held it last
    choices: dict[str, Choice] = field(default_factory=dict)  # of contract orders that have not begun yet
    alone_since: dict[str, datetime] = field(default_factory=dict)  # contract order of a spread -> when it was seen
    noted: list[Intent] = field(default_factory=list)  # new broker orders, not stored yet
    has_told_full: bool = False
    _seen: BrokerOrders | None = None  # those of the contract orders that are looked at

    def look_at(self, legs: Sequence[ContractOrder]) -> None:
        """Read what all of `legs` need: their broker orders, and later what new ones are judged by."""
        self._seen = self.orders.broker_orders_under([leg.id for leg in legs if leg.next_child > 1])
        self.controls.look_at(legs)

    def work(self, leg: ContractOrder, standing: Standing, today: str) -> None:
        """One action for `leg`, which was looked at."""
        now = self.clock.now()
        children = self._children(leg)
        if self._waits_for_the_other_month(leg, children, now):
            return
        turn = self._turn(leg, children, standing)
        style, state = self._remembered(leg, children, now)
        look = self._look(leg, children, turn, today)
        new, action = step(style, state, look, self._terms(leg, turn), leg.quantity)
        kept = self._held(replace(leg, algo={"style": style.value, "state": new.as_dict()}), look)
        self._note_waiting(leg, new, look, turn)
        if new.phase is Phase.DONE:
            self._close(kept, new)
        elif isinstance(action, Place):
            self._place(kept, action, look, new.deadline)
        else:
            if kept != leg:
                self.orders.save_contract_order(kept)
            self._do(leg, action, look)

    def _waits_for_the_other_month(self, leg: ContractOrder, children: list[BrokerOrder], now: datetime) -> bool:
        """Whether one month of a spread has traded alone: for a moment that is usual, then the order ends.

        What is missing is for a person to trade or to book, who opens the lock; nothing more is sent for it.
        """
        lots = "" if leg.spread is None or Flag.LEG_IMBALANCE in leg.flags else alone(children)
        if not lots:
            self.alone_since.pop(leg.id, None)
            return False
        if now - self.alone_since.setdefault(leg.id, now) < ALONE_FOR:
            return True
        log.error("month_alone", order=leg.id, lots=lots,
                  effect=f"{leg.instrument} is not traded until a person has looked at it")
        self.locks.lock(Lock(instrument=leg.instrument, cause=LockCause.LEG_IMBALANCE, subject=leg.id, opened_at=now,
                             reason=f"the spread {leg.contract} has traded {lots} without the other month. If the "
                                    f"broker shows both, book the other one: tradectl trade fill; else trade it, or "
                                    f"undo this: tradectl trade buy, sell"))
        self.controls.heed_new_rules()
        self.orders.save_contract_order(replace(leg.moved(Lifecycle.CLOSING), flags=leg.flags | {Flag.LEG_IMBALANCE}))
        return True

    def _held(self, leg: ContractOrder, look: Look) -> ContractOrder:
        """`leg` as it is kept: marked while it waits for a person, which is told when it begins."""
        if look.child is None or not look.awaits_approval or Hold.APPROVAL in leg.holds:
            return leg
        log.error("awaits_approval", order=leg.id, reason=look.child.reason,
                  effect=f"nothing more is sent for it until a person says so: tradectl trade approve {leg.id}")
        return replace(leg, holds=leg.holds | {Hold.APPROVAL})

    def _children(self, leg: ContractOrder) -> list[BrokerOrder]:
        """Oldest first; the leg counts them as they are made."""
        if leg.next_child == 1:
            return []
        assert self._seen is not None
        return sorted(self._seen.of(leg.id), key=lambda order: child_number(order.id))

    def _turn(self, leg: ContractOrder, children: list[BrokerOrder], standing: Standing) -> Turn:
        most = self.controls.most_lots(leg.instrument)
        if standing is not Standing.FREE:
            return Turn(most_lots=most, waits="locked", must_withdraw=standing is Standing.WITHDRAWN)
        newest = _newest(children)
        if newest is not None and newest.awaits_approval:
            return Turn(most_lots=most, waits="a person must approve")
        return self._turn_of_a_roll(leg, children, most) if leg.kind is OrderKind.ROLL else Turn(most_lots=most)

    def _turn_of_a_roll(self, leg: ContractOrder, children: list[BrokerOrder], most: int) -> Turn:
        """Months that trade apart go unit by unit; those of a spread go together."""
        crowded = is_crowded((child.created for child in children), self.clock.now())
        if leg.spread is not None:
            return Turn(most_lots=most, rests=crowded)
        front, forward = front_and_forward(self.orders.contract_orders_of(leg.parent))
        pace = forward_pace(front, forward) if leg.id == forward.id else front_pace(
            front, forward, self.controls.roll_unit(front.quantity), must_leave=leg.style is ExecutionStyle.MARKETABLE)
        turn = Turn(most_lots=min(most, pace.lots), is_over=pace.is_over)
        if pace.is_over or any(child.may_be_alive for child in children):
            return turn
        if pace.lots == 0:
            return replace(turn, behind=front.id if leg.id == forward.id else forward.id)
        return replace(turn, rests=crowded)

    def _remembered(self, leg: ContractOrder, children: list[BrokerOrder],
                    now: datetime) -> tuple[ExecutionStyle, AlgoState]:
        if leg.algo is None:
            style = self._choice(leg).style
            return style, begin(leg, style, now)
        state = AlgoState.from_dict(leg.algo["state"])
        newest = _newest(children)
        is_next_unit = leg.kind is OrderKind.ROLL and newest is not None and \
            newest.lifecycle is BrokerLifecycle.FILLED
        return ExecutionStyle(leg.algo["style"]), state.anew(now) if is_next_unit else state

    def _choice(self, leg: ContractOrder) -> Choice:
        """Made once; one that waits before its first order is looked at again and again."""
        if leg.id not in self.choices:
            wanted = self.manners.style_for(leg.style)
            if leg.spread is not None and wanted is ExecutionStyle.ADAPTIVE:
                wanted = ExecutionStyle.BEST  # the broker's own algo takes no combination
            lots = self.controls.roll_unit(leg.quantity) if leg.kind is OrderKind.ROLL else abs(leg.quantity)
            choice = self.choices[leg.id] = choose(wanted, lots, self.controls.most_lots(leg.instrument))
            log.info("algo", order=leg.id, style=choice.style.value, reason=choice.reason)
        return self.choices[leg.id]

    def _look(self, leg: ContractOrder, children: list[BrokerOrder], turn: Turn, today: str) -> Look:
        is_over = leg.lifecycle is Lifecycle.CLOSING or leg.trading_day < today or turn.is_over
        is_done = leg.residual == 0 or is_over
        touch = None if is_done or not turn.may_send else self.market.touch(leg.contract)
        is_roll = leg.kind is OrderKind.ROLL
        counted = [child for child in children if not (is_roll and child.lifecycle is BrokerLifecycle.FILLED)]
        return Look(now=self.clock.now(), touch=touch, residual=leg.residual, children=len(counted),
                    child=_newest(children), may_send=turn.may_send,
                    must_withdraw=turn.must_withdraw, is_cancelled=is_over,
                    closes=self.controls.closes(leg.contract, self.clock.now()))

    def _terms(self, leg: ContractOrder, turn: Turn) -> Terms:
        return Terms(grid=PriceGrid(tick=self.market.tradable(leg.contract).min_tick), most_lots=turn.most_lots,
                     limit=leg.limit_price, sigma_d=self.controls.sigma_d(leg.contract),
                     patience=self.manners.patience, participation=self.manners.participation,
                     is_roll=leg.kind is OrderKind.ROLL)

    def _note_waiting(self, leg: ContractOrder, state: AlgoState, look: Look, turn: Turn) -> None:
        """Who waits for a quote does not keep the whole run waiting, once it has waited a little."""
        self.waits.pop(leg.id, None)
        if state.phase is Phase.QUOTE_WAIT and state.waits:
            self.waits[leg.id] = f"no usable quote of {leg.contract}"
        elif turn.waits and look.living is None:
            self.waits[leg.id] = turn.waits
        elif turn.behind in self.waits:
            self.waits[leg.id] = "the other month of the roll goes first"

    def _close(self, leg: ContractOrder, state: AlgoState) -> None:
        assert state.finish is not None
        reason = CLOSE_REASONS[state.finish]
        if reason is CloseReason.CANCELLED and leg.lifecycle is not Lifecycle.CLOSING:
            reason = CloseReason.EXPIRED  # nobody asked: its trading day, or the other leg of its roll, is over
        self.orders.save_contract_order(leg.moved(Lifecycle.CLOSED, reason))

    def _place(self, leg: ContractOrder, place: Place, look: Look, deadline: datetime) -> None:
        assert look.touch is not None
        if not self.controls.has_room():
            self._tell_full()
            return
        makes = ChildOrders(market=self.market, controls=self.controls, clock=self.clock)
        found = makes.intended(leg, place, look.touch, self._ends(place, deadline, look.closes))
        if found.order is not None:
            if place.reason:
                log.info("algo_decides", order=found.order.id, reason=place.reason)
            self.noted.append(Intent(found.leg, found.order))
            self.controls.note(found.order)
        else:
            self._refused(found, look.touch)

    def _ends(self, place: Place, deadline: datetime, closes: datetime | None) -> datetime | None:
        """When the order ends by itself; one that the broker's own algo works can only end with its session."""
        if place.adaptive is not None or not self.manners.good_till_date:
            return None
        return good_till(deadline, closes)

    def _tell_full(self) -> None:
        """Once: no order that is next in line is judged before it could leave."""
        if not self.has_told_full:
            self.has_told_full = True
            log.info("all_in_flight", effect="the next orders leave when the broker has acknowledged some of these")

    def store_noted(self) -> Iterator[tuple[str, BrokerOrder | Exception]]:
        """Store what was noted; each contract order with its stored intent, or why there is none. Those come last."""
        noted, self.noted = self.noted, []
        if noted:
            stored = zip(noted, self.orders.add_broker_orders(noted), strict=True)
            for intent, found in sorted(stored, key=lambda each: isinstance(each[1], Exception)):
                yield intent.parent.id, found

    def _refused(self, found: Intended, touch: Touch) -> None:
        self._tell_once(found, touch)
        if found.outcome is Outcome.HOLD:
            if found.control not in SOON_OVER:
                self.waits[found.leg.id] = found.sentence
            return
        if found.outcome is Outcome.LOCK:
            self.locks.lock(Lock(instrument=found.leg.instrument, cause=LockCause.REPEATED_ORDERS,
                                 subject=found.leg.id, reason=found.sentence, opened_at=self.clock.now()))
            self.controls.heed_new_rules()
            return
        if found.outcome is Outcome.LEVEL:
            self.waits[found.leg.id] = found.sentence
            self.controls.raise_level(found.sentence)
            self.controls.heed_new_rules()
            return
        self.orders.save_contract_order(found.leg.moved(Lifecycle.CLOSED, CloseReason.DENIED))

    def _tell_once(self, found: Intended, touch: Touch) -> None:
        """What holds an order is told when it begins, not at every look; to ask the broker is no news."""
        if found.control == ASKS_THE_BROKER:
            return
        if self.told.get(found.leg.id) != found.control or found.outcome is not Outcome.HOLD:
            self.told[found.leg.id] = found.control
            log.warning("not_intended", order=found.leg.id, control=found.control, outcome=found.outcome.value,
                        reason=found.sentence, bid=str(touch.bid), ask=str(touch.ask))

    def _do(self, leg: ContractOrder, action: Action, look: Look) -> None:
        if isinstance(action, Tell):
            log.warning("algo_tells", order=leg.id, text=action.text)
        elif isinstance(action, Cancel) and look.living is not None:
            self._withdraw(look.living, action.reason)
        elif isinstance(action, Change) and look.living is not None:
            self._change(look.living, action)

    def _withdraw(self, order: BrokerOrder, reason: str) -> None:
        """Once: the handler asks again in its time, or a broker that refuses would be asked with every answer."""
        if order.lifecycle not in ENDING:
            log.info("order_withdrawn", order=order.id, reason=reason, residual=order.residual)
            self.cancel(order, reason)

    def send(self, order: BrokerOrder) -> None:
        """Hand a stored intent over; a refusal is only told, the order itself knows how it stands."""
        self._ask("not_sent", order, lambda: self.sender.submit(order.id))

    def cancel(self, order: BrokerOrder, reason: str) -> None:
        """Store that a cancel is wanted, then ask for it; asking again is harmless."""
        self.orders.save_broker_order(order.with_cancel_wanted(self.clock.now(), reason))
        self._ask("cancel_refused", order, lambda: self.sender.cancel(order.id))

    def _change(self, order: BrokerOrder, change: Change) -> None:
        self._ask("change_refused", order, lambda: self.sender.change(order.id, change.limit))

    def _ask(self, failure: str, order: BrokerOrder, ask: Callable[[], object]) -> None:
        try:
            ask()
        except BrokerUnavailable:
            raise
        except BrokerError as error:
            log.warning(failure, order=order.id, reason=str(error))


def _newest(children: list[BrokerOrder]) -> BrokerOrder | None:
    """The living one if there is one: a parent has never two; else the last."""
    living = [child for child in children if child.may_be_alive]
    return living[0] if living else children[-1] if children else None
