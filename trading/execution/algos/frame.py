"""What all execution algos share: what they see, what they may ask for, what they remember. Pure.

An algo is a function of its state and one look at the world; it gives its next state and at most one action. It looks
at what is stored, not at what happened since the last look: a restart, a lost or a doubled event changes nothing.
The state is stored with the contract order, so that a restart goes on where it was; deadlines are absolute times.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from trading.execution.broker_orders import SENT_PERHAPS, BrokerLifecycle, BrokerOrder
from trading.execution.documents import Document, from_document, to_document
from trading.execution.order_states import AdaptivePriority, ExecutionStyle, Flag
from trading.execution.price_grid import PriceGrid
from trading.execution.quotes import Touch, is_lost, usable

CLOSE_MARGIN: Final = timedelta(minutes=2)  # nothing is sent, and nothing rests, so near to the end of a session
CHANGE_SPACING: Final = timedelta(seconds=2)
MOST_CHANGES: Final = 30
QUOTE_WAIT: Final = timedelta(seconds=10)
BACK_OFFS: Final = (timedelta(minutes=5), timedelta(minutes=15), timedelta(minutes=45))
CHANGEABLE: Final = frozenset({BrokerLifecycle.ACKED, BrokerLifecycle.WORKING})
PARTICIPATION: Final = Decimal("0.05")
ENDING: Final = frozenset({BrokerLifecycle.PENDING_CANCEL})
_UNDECIDED: Final = SENT_PERHAPS | {BrokerLifecycle.INTENT}


class Phase(StrEnum):
    """Where an algo is."""

    INIT = "INIT"
    QUOTE_WAIT = "QUOTE_WAIT"  # no price to act on; it looks again later and later
    PASSIVE = "PASSIVE"
    AGGRESSIVE = "AGGRESSIVE"
    CANCELLING = "CANCELLING"
    DONE = "DONE"


class Finish(StrEnum):
    """Why an algo has ended."""

    FILLED = "FILLED"
    CANCELLED = "CANCELLED"
    DEADLINE = "DEADLINE"
    NO_QUOTE = "NO_QUOTE"
    SESSION_ENDS = "SESSION_ENDS"
    ATTEMPTS = "ATTEMPTS"  # tried as often as may be
    REFUSED = "REFUSED"  # the broker refused an order


@dataclass(frozen=True, kw_only=True)
class Fallback:
    """What works the rest of an order when its own style cannot."""

    style: ExecutionStyle
    since: datetime
    lots: int  # signed, of the rest
    reason: str


@dataclass(frozen=True, kw_only=True)
class Volume:
    """What an order has heard of the market's volume since it began, its own fills among it."""

    heard: datetime  # when it last grew; before that, since when it is waited for
    first: int | None = None  # of the day, when it was first heard
    newest: int = 0

    @property
    def since_start(self) -> int:
        return 0 if self.first is None else self.newest - self.first


@dataclass(frozen=True, kw_only=True)
class AlgoState:
    """What is remembered of one contract order between two looks."""

    phase: Phase = Phase.INIT
    started: datetime
    deadline: datetime
    since: datetime  # of this phase
    arrival_bid: Decimal | None = None  # the first usable quote
    arrival_ask: Decimal | None = None
    adverse_since: datetime | None = None  # the market has moved away from us
    adverse_looks: int = 0
    waits: int = 0  # how often a wait for a quote was in vain
    chased: bool = False  # the limit of the chase was reached, and told
    finish: Finish | None = None
    volume: Volume | None = None  # of an order that goes with the market
    fallback: Fallback | None = None

    def moved(self, phase: Phase, now: datetime) -> "AlgoState":
        """In another phase; in the same one nothing changes, so that a clock of a phase is never reset."""
        return self if phase is self.phase else replace(self, phase=phase, since=now, adverse_since=None,
                                                        adverse_looks=0)

    def done(self, reason: Finish, now: datetime) -> "AlgoState":
        return replace(self.moved(Phase.DONE, now), finish=reason)

    def anew(self, now: datetime) -> "AlgoState":
        """For the next unit of a roll: another beginning, the same deadline; what holds for the whole roll stays."""
        if self.phase is Phase.INIT:
            return self
        return replace(begun(now, self.deadline - now), started=self.started, volume=self.volume,
                       fallback=self.fallback)

    def without_own_style(self, style: ExecutionStyle, look: "Look", reason: str) -> "AlgoState":
        """The rest of the order is worked in another style, from now on and after a restart."""
        rest = Fallback(style=style, since=look.now, lots=look.residual, reason=reason)
        return replace(self.moved(Phase.INIT, look.now), fallback=rest)

    @property
    def arrival(self) -> Touch | None:
        if self.arrival_bid is None or self.arrival_ask is None:
            return None
        return Touch(bid=self.arrival_bid, ask=self.arrival_ask, at=self.started)

    def as_dict(self) -> Document:
        return to_document(self)

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> "AlgoState":
        """What `as_dict` gave; raises Unreadable for anything else."""
        return from_document(cls, document)


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What does not change while an order is worked. `sigma_d` is the volatility of a day, in points."""

    grid: PriceGrid
    most_lots: int  # of one broker order
    sigma_d: Decimal | None = None
    limit: Decimal | None = None  # a person's
    patience: timedelta = timedelta(seconds=30)  # how long a marketable order may rest
    attempts: int = 5  # broker orders at most, for algos that send anew
    is_roll: bool = False
    participation: Decimal = PARTICIPATION  # of the market's volume, for an order that goes with it

    def chase(self) -> Decimal:
        """How far from the price on arrival we may go: the larger of three ticks and a quarter of a day (RC-10b)."""
        return max(3 * self.grid.tick, (self.sigma_d or Decimal(0)) / 4)


@dataclass(frozen=True, kw_only=True)
class Look:
    """Everything that an algo sees at one moment."""

    now: datetime
    touch: Touch | None
    residual: int  # signed lots that are not filled, those of a living child among them
    child: BrokerOrder | None  # the newest broker order
    children: int  # how many there were; of a roll without those that filled, for each is a unit of its own
    may_send: bool = True  # connected, reconciled, not locked, not halted
    must_withdraw: bool = False  # locked: what rests is taken back, the order itself waits
    is_cancelled: bool = False  # a person, a kill level or a newer decision ends it
    closes: datetime | None = None  # end of the session

    @property
    def living(self) -> BrokerOrder | None:
        return self.child if self.child is not None and self.child.may_be_alive else None

    @property
    def algo_was_refused(self) -> bool:
        """Did the newest broker order end because the broker would not work it by its own algo?"""
        return self.living is None and self.child is not None and Flag.ALGO_REFUSED in self.child.flags

    @property
    def awaits_approval(self) -> bool:
        """Must a person let another broker order go?"""
        return self.child is not None and self.child.awaits_approval


@dataclass(frozen=True, kw_only=True)
class Place:
    """Send a broker order: signed lots at a limit."""

    quantity: int
    limit: Decimal
    is_passive: bool
    adaptive: AdaptivePriority | None = None  # the broker's own algo works it, within the limit
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Change:
    """Another price for the living child."""

    limit: Decimal


@dataclass(frozen=True, kw_only=True)
class Cancel:
    """Take the living child back."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class Tell:
    """A person should know."""

    text: str


Action = Place | Change | Cancel | Tell | None
Step = tuple[AlgoState, Action]


def begun(now: datetime, lasts: timedelta, latest: datetime | None = None) -> AlgoState:
    """A fresh state; `latest` is a deadline of the order itself."""
    deadline = now + lasts if latest is None else min(now + lasts, latest)
    return AlgoState(started=now, since=now, deadline=deadline)


def universal(state: AlgoState, look: Look) -> Step | None:
    """What every algo does before anything of its own; None when it may go on."""
    living = look.living
    if state.phase is Phase.DONE or (living is not None and living.lifecycle in _UNDECIDED):
        return state, None  # over, or the fate of an order is not known yet: nothing else is sent
    over = None if living is not None else _without_child(look)
    if over is not None:
        return state.done(over, look.now), None
    if look.awaits_approval and not look.is_cancelled:
        return state, None  # however long that takes
    ending = _why_ending(state, look)
    if ending is not None:
        return _ended(state, look, ending)
    if look.must_withdraw or not look.may_send:
        return _cancelling(state, look, "withdrawn") if look.must_withdraw and living is not None else (state, None)
    return _without_quote(state, look)


def _without_child(look: Look) -> Finish | None:
    """Why an order without a living child is over."""
    if look.residual == 0:
        return Finish.FILLED
    was_refused = look.child is not None and look.child.lifecycle is BrokerLifecycle.REJECTED
    goes_on = look.algo_was_refused or (look.child is not None and Flag.PRECAUTION in look.child.flags)
    return Finish.REFUSED if was_refused and not goes_on else None


def _why_ending(state: AlgoState, look: Look) -> Finish | None:
    if look.is_cancelled:
        return Finish.CANCELLED
    if look.living is not None and look.living.held:
        return None  # it rests at the broker until its exchange opens; a cancel would not reach it
    if look.now >= state.deadline:
        return Finish.DEADLINE
    if look.closes is not None and look.now >= look.closes - CLOSE_MARGIN:
        return Finish.SESSION_ENDS
    return None


def _ended(state: AlgoState, look: Look, why: Finish) -> Step:
    """Cancel what lives, and end when it is proven dead."""
    if look.living is None:
        return state.done(why, look.now), None
    return _cancelling(state, look, why.value.lower())


def _cancelling(state: AlgoState, look: Look, why: str) -> Step:
    asked = state.moved(Phase.CANCELLING, look.now)
    return (asked, None) if look.living is None or look.living.lifecycle in ENDING else (asked, Cancel(reason=why))


def _without_quote(state: AlgoState, look: Look) -> Step | None:
    """Hold with a quote that is too old, take back what rests beside a lost one, and look for another ever later."""
    if usable(look.touch, look.now) is not None:
        return None
    if look.living is not None:
        return _cancelling(state, look, "no quote") if is_lost(look.touch, look.now) else (state, None)
    waiting = state.moved(Phase.QUOTE_WAIT, look.now)
    patience = QUOTE_WAIT if waiting.waits == 0 else BACK_OFFS[waiting.waits - 1]
    if look.now - waiting.since < patience:
        return waiting, None
    if waiting.waits == len(BACK_OFFS):
        return waiting.done(Finish.NO_QUOTE, look.now), None
    return replace(waiting, waits=waiting.waits + 1, since=look.now), None


def with_arrival(state: AlgoState, touch: Touch) -> AlgoState:
    """The first usable quote is what the cost of the order is measured from."""
    return state if state.arrival_bid is not None else replace(state, arrival_bid=touch.bid, arrival_ask=touch.ask)


def child_lots(look: Look, terms: Terms) -> int:
    """Signed lots of the next broker order."""
    lots = min(abs(look.residual), max(1, terms.most_lots))
    return lots if look.residual > 0 else -lots


def may_change(look: Look) -> bool:
    """Whether the living child's price may be changed now: confirmed, not too soon, not too often."""
    living = look.living
    if living is None or living.lifecycle not in CHANGEABLE or living.held or living.changes >= MOST_CHANGES:
        return False
    last = living.changed_at or living.sent
    return last is None or look.now - last >= CHANGE_SPACING


def within_chase(price: Decimal, state: AlgoState, look: Look, terms: Terms) -> Decimal:
    """`price`, but never further from the far price on arrival than the chase allows."""
    arrival = state.arrival
    if arrival is None:
        return price
    sign = 1 if look.residual > 0 else -1
    worst = arrival.far(look.residual) + sign * terms.chase()
    return min(price, worst) if sign > 0 else max(price, worst)
