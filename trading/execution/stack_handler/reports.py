"""What one broker message means for a broker order. Pure: order and message in, order out.

Only what came over the wire counts. An order ends as FILLED when its executions add up, never because a status says
so; it is CANCELLED when the broker says so and the fills that it counted are booked; an error code that is not known
to be final only means that somebody must ask.
"""

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from trading.execution.broker_messages import BrokerMessage
from trading.execution.broker_orders import CANCEL_WORDS, BrokerLifecycle, BrokerOrder
from trading.execution.error_policy import CodeMeaning, ErrorPolicy
from trading.execution.execution_time import instant_of
from trading.execution.fills import EXTERNAL, Fill, execution_base
from trading.execution.order_states import Flag

_B = BrokerLifecycle


@dataclass(frozen=True, kw_only=True)
class Today:
    """What a message of the broker leaves open: the trading day, and the zone of times without one."""

    trading_day: str
    gateway_zone: ZoneInfo


STATUS: Final = {
    "ApiPending": _B.SENT, "PendingSubmit": _B.SENT, "PreSubmitted": _B.ACKED, "Submitted": _B.WORKING,
    "PendingCancel": _B.PENDING_CANCEL, "Inactive": _B.UNKNOWN,
}
_HELD: Final = 399  # a warning with many texts, of which one matters (ib_wire.md 3.1)
_UNTIL_OPEN: Final = "will not be placed at the exchange until"
_REJECTS_NEW: Final = frozenset({CodeMeaning.REJECTS_NEW, CodeMeaning.PRECAUTION, CodeMeaning.REJECTS_ALGO})
_LIVING: Final = frozenset({_B.ACKED, _B.WORKING, _B.PENDING_REPLACE, _B.PENDING_CANCEL})
_ASKABLE: Final = frozenset({_B.SENT, _B.ACKED, _B.WORKING, _B.PENDING_REPLACE})  # a code nobody knows: ask


def after_status(order: BrokerOrder, facts: dict[str, Any]) -> BrokerOrder:
    """`order` after an order status, an open-order or a completed-order message."""
    order = with_perm_id(order, facts.get("perm_id") or 0)
    order = order.with_terms_told(_price(facts.get("limit")), facts.get("lots"))
    word, filled = facts["status"], facts.get("filled")
    new = STATUS.get(word)
    if order.held and new is not _B.ACKED:
        order = replace(order, held=False)
    if word in CANCEL_WORDS:
        return order if filled is None or not order.may_be_alive else order.told(word, int(filled))
    if new is None or (new is _B.SENT and order.lifecycle is not _B.SENDING):
        return order  # Filled waits for its executions; unknown words change nothing
    if order.lifecycle is _B.PENDING_REPLACE and new is _B.WORKING:
        return order  # it works, under the old terms or the new ones: their echo tells
    return order.advanced(new)


def _price(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def after_error(order: BrokerOrder, facts: dict[str, Any], policy: ErrorPolicy) -> BrokerOrder:
    """`order` after an error message that names it."""
    meaning, reason = policy.of(facts["code"]), f"{facts['text']} (code {facts['code']})"
    if meaning is CodeMeaning.REJECTS_ALGO and order.lifecycle not in _LIVING:
        order = order.with_algo_refused()
    if meaning is CodeMeaning.PRECAUTION and _never_lived(order):
        order = replace(order, flags=order.flags | {Flag.PRECAUTION})
    if meaning is CodeMeaning.REJECTED or (meaning in _REJECTS_NEW and _never_lived(order)):
        return order.advanced(_B.CANCELLED if order.filled else _B.REJECTED, reason)  # what was filled stays filled
    if order.lifecycle is _B.PENDING_REPLACE and meaning in _REJECTS_NEW | {CodeMeaning.REJECTS_CHANGE}:
        return order.with_terms_refused(reason)
    if meaning is CodeMeaning.CANCELLED:
        return order.advanced(_B.PENDING_CANCEL, reason)  # its status says how much of it was filled
    if meaning in (CodeMeaning.AMBIGUOUS, CodeMeaning.TOO_FAST):
        return order.advanced(_B.UNKNOWN, reason) if order.lifecycle in _ASKABLE else order
    if facts["code"] == _HELD and _UNTIL_OPEN in facts["text"] and order.lifecycle is _B.ACKED:
        return replace(order, held=True)
    return order  # warnings and refused cancels: the order is what it was


def _never_lived(order: BrokerOrder) -> bool:
    return order.lifecycle in (_B.SENDING, _B.SENT, _B.UNKNOWN) and order.perm_id is None


def with_perm_id(order: BrokerOrder, perm_id: int) -> BrokerOrder:
    """`order` with the broker's identity, once it is known."""
    return replace(order, perm_id=perm_id) if perm_id and order.perm_id != perm_id else order


def fill_of(message: BrokerMessage, order: BrokerOrder | None, contract: str | None, today: Today) -> Fill:
    """The fill in an execution message."""
    facts = message.facts
    base, revision = execution_base(facts["execution_id"])
    return Fill(id=f"{facts['account']}/{base}", execution_id=facts["execution_id"], revision=revision,
                broker_order=order.id if order else None,
                contract=order.contract_of(facts["con_id"]) if order else contract,
                strategy=order.strategy if order else EXTERNAL,
                instrument=order.instrument if order else _instrument_of(contract),
                reference=facts.get("reference") or "", perm_id=facts.get("perm_id") or 0,
                is_liquidation=bool(facts.get("liquidation")),
                con_id=facts["con_id"], quantity=facts["quantity"], price=Decimal(facts["price"]),
                at=facts["at"] or instant_of(facts.get("time", ""), today.gateway_zone, message.at),
                trading_day=order.trading_day if order else today.trading_day)


def _instrument_of(contract: str | None) -> str | None:
    return None if contract is None else contract.rpartition("/")[0]
