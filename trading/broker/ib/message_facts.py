"""What the library's objects say, in our own terms: the facts of the journal's messages, and plain values. Pure.

A message becomes a dictionary that can be stored as it is; see trading.execution.broker_messages for the kinds.
"""

import math
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any, Final

from trading.broker.facts import ContractDetails, OpenOrder
from trading.broker.ib.escapes import unescaped
from trading.execution.execution_time import told_instant
from trading.risk.snapshot import Margin

_UNSET: Final = 1e300  # the wire's "not known" is the largest double


def status_facts(*values: Any) -> dict[str, Any]:
    """An order status."""
    order_id, status, filled, remaining, average, perm_id = values[:6]
    return {"ib_order_id": order_id, "status": status, "filled": float(filled), "remaining": float(remaining),
            "average_price": float(average), "perm_id": perm_id, "client_id": values[8]}


def open_order_facts(order_id: int, contract: Any, order: Any, state: Any) -> dict[str, Any]:
    """An open order."""
    return {"ib_order_id": order_id, "reference": order.orderRef, "perm_id": order.permId, "status": state.status,
            "con_id": contract.conId, "client_id": order.clientId, "lots": int(order.totalQuantity),
            "limit": repr(float(order.lmtPrice)) if _is_limit(order) else None,
            "side": 1 if order.action == "BUY" else -1, "order_type": order.orderType, "time_in_force": order.tif,
            "exchange": contract.exchange}


def open_order(facts: dict[str, Any]) -> OpenOrder:
    """What `open_order_facts` gave, as a value."""
    return OpenOrder(perm_id=facts["perm_id"], client_id=facts["client_id"], ib_order_id=facts["ib_order_id"],
                     reference=facts["reference"], con_id=facts["con_id"])


def _is_limit(order: Any) -> bool:
    return bool(order.orderType == "LMT" and abs(order.lmtPrice) < _UNSET)


def margin_after(state: Any, currency: str) -> Margin | None:
    """The answer to a what-if question, in `currency`, the account's; None when the broker has not computed anything.

    It says so by an empty currency, by empty fields, by the largest double, or by zeros all over (ib_insync #380).
    """
    initial, maintenance, equity = (_number(text) for text in (
        state.initMarginAfter, state.maintMarginAfter, state.equityWithLoanAfter))
    if initial is None or maintenance is None or equity is None or not state.commissionCurrency:
        return None
    if not (initial or maintenance or equity):
        return None
    return Margin(initial_after=initial, maintenance_after=maintenance, equity_after=equity, currency=currency)


def _number(text: Any) -> float | None:
    try:
        found = float(text)
    except (TypeError, ValueError):
        return None
    return found if math.isfinite(found) and abs(found) < _UNSET else None


def completed_facts(contract: Any, order: Any, state: Any) -> dict[str, Any]:
    """An order that has ended."""
    return {"reference": order.orderRef, "perm_id": order.permId, "status": state.status, "con_id": contract.conId,
            "filled": float(order.filledQuantity) if abs(order.filledQuantity) < _UNSET else 0.0,
            "text": state.completedStatus}


def execution_facts(words: str, contract: Any, execution: Any) -> dict[str, Any]:
    """A fill; `words` are the broker's own for when it was, which the library does not always understand."""
    sign = 1 if execution.side == "BOT" else -1
    return {"execution_id": execution.execId, "reference": execution.orderRef, "perm_id": execution.permId,
            "ib_order_id": execution.orderId, "client_id": execution.clientId, "con_id": contract.conId,
            "security": contract.secType, "quantity": sign * int(execution.shares),
            "price": repr(float(execution.price)), "at": told_instant(words), "time": words,
            "account": execution.acctNumber, "liquidation": bool(execution.liquidation)}


def commission_facts(report: Any) -> dict[str, Any]:
    """What a fill cost; None while it is not known."""
    known = abs(report.commission) < _UNSET and bool(report.currency)
    return {"execution_id": report.execId, "amount": repr(float(report.commission)) if known else None,
            "currency": report.currency}


def without_foreign_handle(facts: dict[str, Any], client_id: int) -> dict[str, Any]:
    """An order id belongs to the client that gave it; that of another client may be one of ours as well."""
    return facts | {"ib_order_id": 0} if facts.get("client_id", client_id) != client_id else facts


def error_facts(request_id: int, code: int, text: str, *_rest: Any) -> dict[str, Any]:
    """An error or a notice."""
    return {"request_id": request_id, "code": code, "text": unescaped(text)}


def details(row: Any) -> ContractDetails:
    """A contract that can be traded."""
    contract = row.contract
    return ContractDetails(
        con_id=contract.conId, symbol=contract.symbol, local_symbol=contract.localSymbol, exchange=contract.exchange,
        currency=contract.currency, multiplier=contract.multiplier, price_magnifier=int(row.priceMagnifier or 1),
        min_tick=Decimal(repr(row.minTick)), contract_month=row.contractMonth,
        last_trade_date=contract.lastTradeDateOrContractMonth[:8], trading_hours=row.tradingHours,
        time_zone=row.timeZoneId)


def instant(stamp: date | datetime) -> datetime:
    """The start of a bar: a day begins at its midnight in UTC."""
    if isinstance(stamp, datetime):
        return stamp if stamp.tzinfo is not None else stamp.replace(tzinfo=UTC)
    return datetime.combine(stamp, time(0), UTC)
