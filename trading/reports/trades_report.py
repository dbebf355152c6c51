"""What was traded on a trading day: each fill beside the price that was decided on, and what it cost."""

import pandas as pd

from trading.data.data_blob import DataBlob
from trading.execution.fills import Fill
from trading.reports.report import Report, Section


def collect(data: DataBlob, day: str) -> Report:
    """Fills of `day` and the orders that ended without being filled."""
    fills = data.db_books.fills(day)
    return Report(name="trades", title="Trades", day=day, sections=(
        Section(heading="Fills", table=pd.DataFrame([_fill(data, fill) for fill in fills]),
                note="" if fills else "Nothing was traded."),
        Section(heading="Orders that were not filled", table=(unfilled := _unfilled(data, day)),
                note="None." if unfilled.empty else ""),
    ))


def _fill(data: DataBlob, fill: Fill) -> dict[str, object]:
    row: dict[str, object] = {"contract": fill.contract, "lots": fill.quantity, "price": fill.price}
    if fill.broker_order is None:
        return row | {"mid": None, "slippage": None, "commission": None, "order": "not ours"}
    order = data.db_orders.broker_order(fill.broker_order)
    mid = None if order.quote is None else order.quote.mid
    paid = None if mid is None else (fill.price - mid) * (1 if fill.quantity > 0 else -1)
    commission = None if fill.commission is None else f"{fill.commission:.2f} {fill.commission_currency}"
    return row | {"mid": mid, "slippage": paid, "commission": commission, "order": order.id}


def _unfilled(data: DataBlob, day: str) -> pd.DataFrame:
    rows = [row for row in data.db_orders.everything(only_open=False)["contract_orders"]
            if row["trading_day"] == day and row["filled"] != row["quantity"]]
    return pd.DataFrame([{"contract": row["contract"], "wanted": row["quantity"], "filled": row["filled"],
                          "state": row["lifecycle"], "reason": row["close_reason"]} for row in rows])
