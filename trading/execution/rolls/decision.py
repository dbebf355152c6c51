"""What roll state an instrument should be in today, and why: the table of orders_and_risk.md 6.4. Pure.

It decides, it changes nothing: `next_state` brings the decision together with the state that the instrument is in.
Rows 1 to 3 ask for dates only, so that an instrument without data is left in time all the same.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from trading.execution.rolls.liquidity import Liquidity, floor_holds
from trading.execution.rolls.states import RollState


class RollStyle(StrEnum):
    """How urgently roll trades are worked."""

    PASSIVE_ONLY = "PASSIVE_ONLY"  # own side, over the liquid hours
    BEST = "BEST"  # passive first, done within two hours
    MARKETABLE = "MARKETABLE"  # at the price that is there

    @property
    def deadline(self) -> timedelta | None:
        return timedelta(hours=2) if self is RollStyle.BEST else None


class Notice(StrEnum):
    """Who is told about a decision."""

    NOBODY = "NOBODY"
    WARN = "WARN"
    PAGE = "PAGE"


@dataclass(frozen=True, kw_only=True)
class RollFacts:
    """Everything that a decision depends on, stored with it."""

    instrument: str
    today: date  # on the exchange's clock
    front: int  # lots held
    forward: int
    last_trade: date  # of the front contract
    days_left: int  # business days until the front must be left; see close_out.days_left
    desired: date  # configured roll date
    liquidity: Liquidity | None  # of the forward contract; None: not known
    spread_market: bool  # the spread's market passed today

    @property
    def has_ended(self) -> bool:
        return self.today > self.last_trade

    @property
    def is_past_desired(self) -> bool:
        return self.today > self.desired

    @property
    def floor_ok(self) -> bool:
        return floor_holds(self.liquidity, abs(self.front) + abs(self.forward)) is True

    def is_as_liquid_as(self, share: float) -> bool:
        """Whether the forward contract trades at least `share` of the front one; no when that is not known."""
        return self.liquidity is not None and self.liquidity.rho >= share


@dataclass(frozen=True, kw_only=True)
class RollDecision:
    """The state that the facts ask for, and the row of the table that matched."""

    state: RollState
    row: int
    reason: str
    inputs: RollFacts
    style: RollStyle
    notice: Notice
    roll_forward_leg: bool  # in CLOSE: whether the target may be held forward


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One row; `reason` continues "for ..." and names the fields of the facts that it shows."""

    row: int
    holds: Callable[[RollFacts], bool]
    state: RollState
    reason: str
    notice: Notice = Notice.NOBODY


SOON_DAYS: Final = 10
FORCED_DAYS: Final = 3
RULES: Final = (  # the first match wins; row 8 stands before 6 and 7, which would hide it from an empty front
    Rule(row=1, holds=lambda f: bool(f.front) and f.has_ended, state=RollState.EXPIRED_HOLD, notice=Notice.PAGE,
         reason="the contract last traded on {f.last_trade} and {f.front:+d} lots of it are held"),
    Rule(row=1, holds=lambda f: bool(f.front) and f.days_left < 0, state=RollState.CLOSE, notice=Notice.PAGE,
         reason="the contract had to be left {days} ago and {f.front:+d} lots of it are held"),
    Rule(row=2, holds=lambda f: bool(f.front) and f.days_left <= 1, state=RollState.CLOSE,
         notice=Notice.PAGE, reason="{f.front:+d} lots must be out in {days}"),
    Rule(row=3, holds=lambda f: bool(f.front) and f.days_left <= FORCED_DAYS and f.spread_market,
         state=RollState.FORCE_SPREAD,
         reason="{f.front:+d} lots must be out in {days}, and the spread has a market"),
    Rule(row=3, holds=lambda f: bool(f.front) and f.days_left <= FORCED_DAYS, state=RollState.FORCE_OUTRIGHT,
         reason="{f.front:+d} lots must be out in {days}, and the spread has no market"),
    Rule(row=4, holds=lambda f: bool(f.front) and f.is_past_desired and f.floor_ok and f.spread_market,
         state=RollState.FORCE_SPREAD,
         reason="the roll was wanted on {f.desired}, the forward contract is liquid and the spread has a market"),
    Rule(row=5, holds=lambda f: bool(f.front) and f.is_past_desired and f.floor_ok, state=RollState.FORCE_OUTRIGHT,
         reason="the roll was wanted on {f.desired}, the forward contract is liquid but the spread has no market"),
    Rule(row=8, holds=lambda f: not f.front and f.floor_ok and (f.is_past_desired or f.is_as_liquid_as(1.0)),
         state=RollState.ROLL_ADJUSTED,
         reason="nothing is held in front, and the forward contract trades {volume} of the front volume"),
    Rule(row=6, holds=lambda f: f.is_as_liquid_as(1.0) or (
            f.is_as_liquid_as(0.1) and f.floor_ok and f.today + timedelta(days=SOON_DAYS) >= f.desired),
         state=RollState.PASSIVE,
         reason="the roll is wanted on {f.desired}, and the forward contract trades {volume} of the front volume"),
    Rule(row=6, holds=lambda f: not f.front and f.days_left <= FORCED_DAYS and f.floor_ok, state=RollState.PASSIVE,
         reason="nothing is held in front, what is opened there must be out in {days}, and the forward contract is "
                "liquid"),
    Rule(row=7, holds=lambda f: f.days_left <= SOON_DAYS and not f.floor_ok, state=RollState.NO_OPEN,
         notice=Notice.WARN,
         reason="the front contract must be left in {days}, and the forward contract trades {volume} of its volume, "
                "which is not enough"),
    Rule(row=9, holds=lambda _: True, state=RollState.NO_ROLL,
         reason="the roll is wanted on {f.desired}, and the forward contract trades {volume} of the front volume"),
)


def decide(facts: RollFacts) -> RollDecision:
    """The first row that holds. The same facts always give the same decision."""
    rule = next(rule for rule in RULES if rule.holds(facts))
    volume = "an unknown share" if facts.liquidity is None else f"{facts.liquidity.rho:.2f}"
    return RollDecision(
        state=rule.state, row=rule.row, notice=rule.notice, inputs=facts, style=style(facts.days_left),
        reason=rule.reason.format(f=facts, volume=volume, days=_business_days(abs(facts.days_left))),
        roll_forward_leg=rule.state is RollState.CLOSE and facts.floor_ok)


def style(days_left: int) -> RollStyle:
    """How roll trades are worked when so many business days are left."""
    if days_left > 5:
        return RollStyle.PASSIVE_ONLY
    return RollStyle.BEST if days_left > 2 else RollStyle.MARKETABLE


def _business_days(count: int) -> str:
    return "1 business day" if count == 1 else f"{count} business days"
