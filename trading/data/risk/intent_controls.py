"""The controls of the intent over the real stores: what may have changed is read anew for each broker order."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from trading.data.data_blob import DataBlob
from trading.data.risk.intent_facts import Flow, IntentFacts, sessions_of
from trading.errors import ConcurrentUpdate
from trading.execution.broker_orders import BrokerOrder
from trading.execution.orders import ContractOrder
from trading.execution.quotes import Touch
from trading.risk.controls.price import collar
from trading.risk.kill_level import Cause, Command, KillLevel, raised
from trading.risk.pre_trade import Verdict, at_intent
from trading.risk.proposal import Proposal
from trading.risk.settings import RiskSettings

CHASE_ROOM: Final = Decimal(2)  # an order may be moved as far again as it may stand away at first
_ATTEMPTS: Final = 3
_FILLS: Final = timedelta(days=31)


@dataclass(frozen=True, kw_only=True)
class IntentControls:
    """See trading.execution.stack_handler.child_orders.Controls."""

    data: DataBlob
    facts: IntentFacts
    settings: RiskSettings

    def at_intent(self, leg: ContractOrder, order: BrokerOrder, touch: Touch, *, is_passive: bool) -> Verdict:
        """Every control of T2."""
        proposal = Proposal(
            account=leg.account, strategy=leg.strategy, instrument=leg.instrument, kind=leg.kind,
            quantity=order.quantity, key=order.id, parent=leg.id, contract=leg.contract, reduce_only=leg.reduce_only,
            decided_at=leg.created, limit_price=order.limit_price, is_passive=is_passive)
        snapshot = self.facts.snapshot(leg, touch, self.flow(leg), order.created)
        return at_intent(proposal, snapshot, self.settings)

    def flow(self, leg: ContractOrder) -> Flow:
        """What was sent and filled up to this moment."""
        books, seen = self.data.db_books, self.data.db_orders.sent_lately(leg.instrument, leg.trading_day)
        return Flow(
            live=tuple(order for order in seen.of_instrument if order.may_be_alive),
            today=tuple(order for order in seen.of_instrument if order.trading_day == leg.trading_day),
            siblings=tuple(order for order in seen.of_instrument if order.parent == leg.id),
            open_orders=seen.open_orders, in_flight=seen.in_flight, day_orders=seen.day_orders,
            kill=self.data.db_kill_state.load(), locks=self.data.db_locks.reasons(),
            fills=tuple(books.fills_since(self.data.clock.now() - _FILLS, leg.instrument)),
            positions=books.contract_positions_in(leg.instrument))

    def collar(self, leg: ContractOrder, touch: Touch) -> tuple[Decimal, Decimal] | None:
        """Around the mid of now; None when what is usual is not known."""
        sigma, spread = self.sigma_d(leg.instrument), self.facts.decision.risks[leg.instrument].median_spread
        if sigma is None or spread is None:
            return None
        _, hard = collar(self.facts.details(leg.contract).min_tick, spread, sigma, self.settings.price)
        return touch.mid - CHASE_ROOM * hard, touch.mid + CHASE_ROOM * hard

    def sigma_d(self, instrument: str) -> Decimal | None:
        found = self.facts.decision.risks[instrument].sigma_d
        return None if found is None else Decimal(repr(found))

    def most_lots(self, instrument: str) -> int:
        found = self.facts.decision.order_size(instrument)
        return self.settings.size.unset_order_size if found is None else max(1, found)

    def closes(self, contract: str, now: datetime) -> datetime | None:
        """When the session of the contract ends; None when it is not known, or nothing is open."""
        sessions = sessions_of(self.facts.details(contract)) or ()
        return next((each.end for each in sessions if each.start <= now < each.end), None)

    def raise_level(self, reason: str) -> None:
        """No new risk, whoever asks for the level at the same time."""
        by = Command(who="run_stack_handler", why=reason, when=self.data.clock.now(), cause=Cause.CONTROL)
        for _ in range(_ATTEMPTS):
            try:
                self.data.db_kill_state.save(raised(self.data.db_kill_state.load(), KillLevel.K2_NO_NEW_RISK, by))
            except ConcurrentUpdate:
                continue
            return
