"""A new broker order: what the algo wants, judged by the controls of the intent, made into a stored order. Thin.

What the controls say is kept with the contract order. A denied order ends, one that must wait is looked at again; a
repeated one locks its instrument, and what no day needs raises the kill level.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Final, Protocol

from trading.clock import Clock
from trading.execution.algos.frame import Place
from trading.execution.broker_orders import BrokerOrder
from trading.execution.broker_terms import BrokerTerms
from trading.execution.decided_orders import stored_checks
from trading.execution.orders import ContractOrder
from trading.execution.ports import Market
from trading.execution.quotes import Touch
from trading.risk.check import Outcome
from trading.risk.pre_trade import Verdict

MOST_CHECKS: Final = 60  # kept with a contract order: those of its newest broker orders


class Controls(Protocol):
    """May this broker order be intended, and for how many lots?"""

    def look_at(self, legs: Sequence[ContractOrder]) -> None:
        """Read anew what the next broker orders are judged by, which are of `legs`."""

    def has_room(self) -> bool:
        """Whether the broker has acknowledged enough for another order to leave, whichever it is (RC-21)."""

    def note(self, order: BrokerOrder) -> None:
        """Count an order that will be stored: those after it are judged as if it were."""

    def at_intent(self, leg: ContractOrder, order: BrokerOrder, touch: Touch, *, is_passive: bool) -> Verdict: ...
    def collar(self, leg: ContractOrder, touch: Touch) -> tuple[Decimal, Decimal] | None:
        """The lowest and the highest price at which the order may ever stand."""

    def heed_new_rules(self) -> None:
        """Read the kill level and the locks anew: one of them was just set."""

    def sigma_d(self, contract: str) -> Decimal | None:
        """A day's standard deviation of a contract or spread, in points."""

    def most_lots(self, instrument: str) -> int: ...
    def roll_unit(self, lots: int) -> int:
        """Lots by which one leg of a roll of `lots` may be ahead of the other."""

    def closes(self, contract: str, now: datetime) -> datetime | None:
        """When the session of the contract ends; None when it is not known, or nothing is open."""

    def raise_level(self, reason: str) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Intended:
    """What the controls left of a wish: an order with its parent, or the parent that waits or ends."""

    leg: ContractOrder
    order: BrokerOrder | None
    outcome: Outcome
    sentence: str = ""
    control: str = ""


@dataclass(frozen=True, kw_only=True)
class ChildOrders:
    """Makes broker orders; stores and sends nothing."""

    market: Market
    controls: Controls
    clock: Clock

    def intended(self, leg: ContractOrder, place: Place, touch: Touch, ends: datetime | None) -> Intended:
        """The broker order for `place`, as far as the controls allow it; at `ends` it ends by itself."""
        # an algo places nothing beside a living child; what may be alive is counted again when this is stored
        counted, (order,) = leg.create_broker_orders([place.quantity], 0, self._terms(leg, place, touch, ends))
        verdict = self.controls.at_intent(leg, order, touch, is_passive=place.is_passive)
        checks = (*leg.checks, *stored_checks(verdict.checks, order.created))[-MOST_CHECKS:]
        if verdict.outcome in (Outcome.PASS, Outcome.CUT) and verdict.quantity:
            return Intended(leg=replace(counted, checks=checks), order=replace(order, quantity=verdict.quantity),
                            outcome=verdict.outcome)
        decisive = verdict.decisive
        outcome = Outcome.DENY if verdict.outcome is Outcome.CUT else verdict.outcome
        kept = replace(leg, checks=checks)
        if decisive is None:
            return Intended(leg=kept, order=None, outcome=outcome)
        return Intended(leg=kept, order=None, outcome=outcome, sentence=decisive.sentence, control=decisive.control)

    def _terms(self, leg: ContractOrder, place: Place, touch: Touch, ends: datetime | None) -> BrokerTerms:
        tradable = self.market.tradable(leg.contract)
        return BrokerTerms(con_id=tradable.con_id, exchange=tradable.exchange, tick=tradable.min_tick,
                           limit_price=place.limit, touch=touch, collar=self.controls.collar(leg, touch),
                           created=self.clock.now(), adaptive=place.adaptive, good_till=ends)
