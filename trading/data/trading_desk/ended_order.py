"""A person says that an order of unknown fate has ended, where no proof can come from the broker's interface."""

from dataclasses import dataclass
from typing import ClassVar

from trading.data.trading_desk.deed import Deed, DeedRefused, Plan, Signed
from trading.data.trading_desk.records import Records
from trading.execution.broker_orders import BrokerLifecycle, BrokerOrder
from trading.execution.order_ids import story_of


@dataclass(frozen=True, kw_only=True)
class OrderEnded(Deed):
    """A broker order of unknown fate does not work at the broker, and has traded no more than our books say."""

    verb: ClassVar[str] = "order-ended"
    order: str

    def plan(self, records: Records, signed: Signed) -> Plan:
        order = records.orders.broker_order(self.order)
        if order.lifecycle is not BrokerLifecycle.UNKNOWN:
            raise DeedRefused(f"{order.id} is {order.lifecycle}; only the end of an order that is UNKNOWN is told by "
                              f"hand{_instead(order)}. Nothing was changed.")
        ended = order.moved(_end_of(order), f"{signed.who}: {signed.why}")
        return Plan(before={order.id: order.lifecycle.value}, after={order.id: ended.lifecycle.value},
                    meaning=f"{order.id} counts as ended with {order.filled:+d} of {order.quantity:+d} filled, and its "
                            f"lock on {order.instrument} opens. Look at the broker's own window or statement first.",
                    done=f"{order.id} is {ended.lifecycle}.", story=story_of(order.id), warnings=_warnings(order),
                    write=lambda session: records.orders.write("broker_orders", ended, session))


def _end_of(order: BrokerOrder) -> BrokerLifecycle:
    """Of one that the broker has never shown and that has not traded: it was never sent."""
    was_seen = order.perm_id is not None or order.has_traded
    return BrokerLifecycle.CANCELLED if was_seen else BrokerLifecycle.NOT_SENT


def _instead(order: BrokerOrder) -> str:
    return f". To take it back: tradectl trade cancel {order.id}" if order.may_be_alive else ""


def _warnings(order: BrokerOrder) -> tuple[str, ...]:
    left = f"The {order.residual:+d} that are left may be ordered anew. If you do not want that: tradectl trade " \
           f"cancel {order.id}"
    late = f"If it trades after all, that is booked and {order.instrument} is locked."
    return (left, late) if order.residual else (late,)
