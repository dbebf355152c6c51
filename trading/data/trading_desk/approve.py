"""Letting an order go that the controls hold until a person has looked at it."""

from dataclasses import dataclass
from typing import ClassVar

from trading.data.trading_desk.cancel import name
from trading.data.trading_desk.deed import Deed, DeedRefused, Plan, Signed
from trading.data.trading_desk.records import Records
from trading.execution.decided_orders import approved, why
from trading.execution.order_states import Hold, Lifecycle
from trading.execution.orders import story_of


@dataclass(frozen=True, kw_only=True)
class ApproveOrder(Deed):
    """Only one that waits for approval; later controls still judge it."""

    verb: ClassVar[str] = "approve"
    order: str

    def plan(self, records: Records, signed: Signed) -> Plan:
        order = records.orders.instrument_order(story_of(self.order))
        if order.lifecycle is not Lifecycle.CREATED or Hold.APPROVAL not in order.holds:
            holds = ", ".join(sorted(order.holds)) or "nothing"
            raise DeedRefused(f"{order.id} is {order.lifecycle} and waits for {holds}, not for approval. "
                              f"Nothing was changed.")
        newer = approved(order, signed.who)
        return Plan(before={name(order): f"{order.lifecycle}: {why(order) or 'held'}"},
                    after={name(order): newer.lifecycle.value}, story=order.id,
                    meaning=f"{order.quantity:+d} {order.instrument} for {order.strategy} may be traded: the control "
                            f"that held it said: {why(order) or 'nothing'}",
                    done=f"{order.id} is {newer.lifecycle}.",
                    write=lambda session: records.orders.write("instrument_orders", newer, session))
