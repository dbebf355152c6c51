"""The controls of the intent over the real stores, for orders that are looked at and stored together.

Nothing is judged by what is older than the look at those few contract orders, and each order counts those that were
noted before it. What cannot be read of one instrument harms no order of another.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Final

from trading.data.data_blob import DataBlob
from trading.data.risk.intent_facts import Flow, IntentFacts, sessions_of
from trading.data.risk.margin_desk import MarginDesk, NobodyAsks
from trading.data.risk.seen_once import SeenOnce
from trading.execution.broker_orders import BrokerLifecycle, BrokerOrder
from trading.execution.orders import ContractOrder, front_and_forward
from trading.execution.quotes import Touch
from trading.execution.rolls.pace import unit_of
from trading.risk.controls.account import ASKS_THE_BROKER
from trading.risk.controls.price import collar
from trading.risk.kill_level import Cause, Command, KillLevel
from trading.risk.margin_question import WhatIf
from trading.risk.order_kind import OrderKind
from trading.risk.pre_trade import Verdict, at_intent
from trading.risk.proposal import Leg, Proposal, RollSides
from trading.risk.settings import RiskSettings

CHASE_ROOM: Final = Decimal(2)  # an order may be moved as far again as it may stand away at first


@dataclass(frozen=True, kw_only=True)
class IntentControls:
    """See trading.execution.stack_handler.child_orders.Controls."""

    data: DataBlob
    facts: IntentFacts
    settings: RiskSettings
    seen: SeenOnce
    margins: MarginDesk | NobodyAsks = field(default_factory=NobodyAsks)

    def at_intent(self, leg: ContractOrder, order: BrokerOrder, touch: Touch, *, is_passive: bool) -> Verdict:
        """Every control of T2; what passes all others and adds risk is held until the broker was asked for its margin.

        Before that it is judged without the broker's word, and after it with it.
        """
        flow = self.flow(leg)
        proposal = Proposal(
            account=leg.account, strategy=leg.strategy, instrument=leg.instrument, kind=leg.kind,
            quantity=order.quantity, key=order.id, parent=leg.id, contract=leg.contract, reduce_only=leg.reduce_only,
            decided_at=leg.created, limit_price=order.limit_price, is_passive=is_passive, legs=_legs(leg),
            roll=self._sides(leg, flow.positions))
        months = {leg.contract} if proposal.roll is None else {proposal.roll.front, proposal.roll.forward}
        snapshot = self.facts.snapshot(leg, touch, flow, order.created, months)
        account = self.margins.known_to(snapshot.account, leg.id, leg.filled)
        verdict = at_intent(proposal, replace(snapshot, account=account), self.settings)
        if verdict.decisive is not None and verdict.decisive.control == ASKS_THE_BROKER:
            self._ask_for_margin(leg, replace(order, quantity=int(verdict.decisive.number or 0)))
        return verdict

    def _ask_for_margin(self, leg: ContractOrder, order: BrokerOrder) -> None:
        """For what the other controls have left of `order`; it does no harm to ask with each look."""
        self.margins.ask(leg.id, WhatIf(con_id=order.con_id, exchange=order.exchange, quantity=order.quantity,
                                        limit_price=order.limit_price), leg.filled)

    def _sides(self, leg: ContractOrder, positions: Mapping[str, int]) -> RollSides | None:
        """A roll by its months, when `positions` (lots by contract) contain what it has filled; None for all else."""
        if leg.kind is not OrderKind.ROLL:
            return None
        if leg.spread is not None:
            front, forward, unit = leg.spread.near.contract, leg.spread.far.contract, 1
            filled = {key: leg.lots_in(key, leg.filled) for key in (front, forward)}
        else:
            legs = front_and_forward(self.data.db_orders.contract_orders_of(leg.parent))
            front, forward = (each.contract for each in legs)
            filled, unit = {each.contract: each.filled for each in legs}, self.roll_unit(legs[0].quantity)
        before = sum(abs(positions.get(key, 0) - lots) for key, lots in filled.items())
        return RollSides(front=front, forward=forward, total_before=before, unit=unit)

    def look_at(self, legs: Sequence[ContractOrder]) -> None:
        self.seen.look_at(legs)

    def has_room(self) -> bool:
        return self.seen.sent.in_flight + len(self.seen.noted) < self.settings.flow.in_flight

    def note(self, order: BrokerOrder) -> None:
        """It leaves before anything else is looked at, so it counts as what is on its way."""
        self.seen.noted.append(replace(order, lifecycle=BrokerLifecycle.SENT, sent=order.created))

    def heed_new_rules(self) -> None:
        self.seen.forget_rules()

    def flow(self, leg: ContractOrder) -> Flow:
        """What was sent and filled up to the look, and what was noted since."""
        seen, noted = self.seen, self.seen.noted
        sent = seen.sent.of(leg.instrument, leg.trading_day)
        orders = (*sent.of_instrument, *(order for order in noted if order.instrument == leg.instrument))
        return Flow(
            live=tuple(order for order in orders if order.may_be_alive),
            today=tuple(order for order in orders if order.trading_day == leg.trading_day),
            siblings=tuple(order for order in orders if order.parent == leg.id),
            open_orders=sent.open_orders + len(noted), in_flight=sent.in_flight + len(noted),
            day_orders=sent.day_orders + sum(order.trading_day == leg.trading_day for order in noted),
            kill=seen.kill, locks=seen.locks, fills=tuple(seen.fills.of(leg.instrument)),
            positions=positions_in(leg.instrument, seen.positions))

    def collar(self, leg: ContractOrder, touch: Touch) -> tuple[Decimal, Decimal] | None:
        """Around the mid of now; None when what is usual is not known."""
        sigma, usual = self.sigma_d(leg.contract), self.facts.usual(leg.contract)
        if sigma is None or usual.quoted_spread is None:
            return None
        _, hard = collar(self.facts.details(leg.contract).min_tick, usual.quoted_spread, sigma, self.settings.price)
        return touch.mid - CHASE_ROOM * hard, touch.mid + CHASE_ROOM * hard

    def sigma_d(self, contract: str) -> Decimal | None:
        found = self.facts.usual(contract).sigma_d
        return None if found is None else Decimal(repr(found))

    def most_lots(self, instrument: str) -> int:
        found = self.facts.decision.order_size(instrument)
        return self.settings.size.unset_order_size if found is None else max(1, found)

    def roll_unit(self, lots: int) -> int:
        return unit_of(lots, self.settings.account.roll_units)

    def closes(self, contract: str, now: datetime) -> datetime | None:
        """When the session of the contract ends; None when it is not known, or nothing is open."""
        sessions = sessions_of(self.facts.details(contract)) or ()
        return next((each.end for each in sessions if each.start <= now < each.end), None)

    def raise_level(self, reason: str) -> None:
        """No new risk, whoever asks for the level at the same time."""
        by = Command(who="run_stack_handler", why=reason, when=self.data.clock.now(), cause=Cause.CONTROL)
        self.data.db_kill_state.raise_to(KillLevel.K2_NO_NEW_RISK, by)


def positions_in(instrument: str, positions: dict[str, int]) -> dict[str, int]:
    """Those of its contracts."""
    return {key: lots for key, lots in positions.items() if key.rpartition("/")[0] == instrument}


def _legs(leg: ContractOrder) -> tuple[Leg, ...]:
    """Of a spread, the near month first."""
    if leg.spread is None:
        return ()
    return Leg(contract=leg.spread.near.contract, ratio=-1), Leg(contract=leg.spread.far.contract, ratio=1)
