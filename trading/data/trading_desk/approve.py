"""Letting an order go that waits for a person: held by a control, or refused by limits in the gateway."""

from dataclasses import dataclass, replace
from typing import ClassVar

from pymongo.client_session import ClientSession

from trading.data.trading_desk.cancel import name
from trading.data.trading_desk.deed import Deed, DeedRefused, Plan, Signed
from trading.data.trading_desk.records import Records
from trading.execution.broker_orders import BrokerOrder
from trading.execution.decided_orders import approval_noted, approved, why
from trading.execution.order_ids import story_of
from trading.execution.order_states import Flag, Hold, Lifecycle
from trading.execution.orders import ContractOrder, InstrumentOrder


@dataclass(frozen=True, kw_only=True)
class ApproveOrder(Deed):
    """Only one that waits for approval; later controls still judge it."""

    verb: ClassVar[str] = "approve"
    order: str

    def plan(self, records: Records, signed: Signed) -> Plan:
        order = records.orders.instrument_order(story_of(self.order))
        if order.lifecycle is Lifecycle.CREATED and Hold.APPROVAL in order.holds:
            return _decision(records, order, signed)
        legs = [leg for leg in records.orders.contract_orders_of(order.id)
                if leg.is_open and Hold.APPROVAL in leg.holds]
        if legs:
            return _refused(records, approval_noted(order, signed.who), legs)
        holds = ", ".join(sorted(order.holds)) or "nothing"
        raise DeedRefused(f"{order.id} is {order.lifecycle} and waits for {holds}, not for approval. "
                          f"Nothing was changed.")


def _decision(records: Records, order: InstrumentOrder, signed: Signed) -> Plan:
    newer = approved(order, signed.who)
    return Plan(before={name(order): f"{order.lifecycle}: {why(order) or 'held'}"},
                after={name(order): newer.lifecycle.value}, story=order.id,
                meaning=f"{order.quantity:+d} {order.instrument} for {order.strategy} may be traded: the control "
                        f"that held it said: {why(order) or 'nothing'}",
                done=f"{order.id} is {newer.lifecycle}.",
                write=lambda session: records.orders.write("instrument_orders", newer, session))


def _refused(records: Records, order: InstrumentOrder, legs: list[ContractOrder]) -> Plan:
    children = [child for leg in legs for child in records.orders.broker_orders_of(leg.id) if child.awaits_approval]

    def write(session: ClientSession) -> None:
        for child in children:
            records.orders.write("broker_orders", replace(child, flags=child.flags | {Flag.APPROVED}), session)
        for leg in legs:
            records.orders.write("contract_orders", leg.approved(), session)
        records.orders.write("instrument_orders", order, session)  # which the stack handler waits for

    lots = ", ".join(f"{leg.residual:+d} {leg.contract}" for leg in legs)
    return Plan(before={child.id: _words(child) for child in children},
                after={leg.id: f"{leg.residual:+d} {leg.contract} are sent again" for leg in legs}, story=order.id,
                meaning=f"{lots} may be sent again. The limits in the gateway refuse them again as long as they are "
                        f"what they were: change them there first.",
                done=f"{lots} may be sent again.", write=write)


def _words(child: BrokerOrder) -> str:
    return f"{child.lifecycle}: {child.reason}"
