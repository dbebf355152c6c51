"""Profit and loss of a trading day, instrument by instrument, beside what the account itself says.

Each instrument's gain is the change in value of all its fills since the day before: lots times price difference, less
commissions, in the base currency. The account's own change is shown beside their sum; the rest is explained there.
"""

from collections import defaultdict
from dataclasses import dataclass

import pandas as pd

from trading.data.data_blob import DataBlob
from trading.execution.fills import Fill
from trading.objects.contracts import Contract
from trading.reports.rates import newest_rate
from trading.reports.report import Report, Section, price_cell


@dataclass(frozen=True, kw_only=True)
class Marks:
    """The last price of a contract at the end of the day and of the day before."""

    today: float
    before: float


def collect(data: DataBlob, day: str, base_currency: str, timezone: str) -> Report:
    """Gains of `day` in `base_currency`."""
    end = pd.Timestamp(day, tz=timezone) + pd.Timedelta(days=1)
    table = pd.DataFrame(_rows(data, day, end, base_currency))
    return Report(name="profit_and_loss", title="Profit and loss", day=day, sections=(
        Section(heading="By instrument", table=table, note=_sum(table, base_currency)),
        Section(heading="Account", table=_account(data)),
    ))


def _sum(table: pd.DataFrame, base_currency: str) -> str:
    if table.empty:
        return "Nothing was held or traded."
    unknown = list(table.loc[table["gain"].isna(), "contract"])
    without = f" Not known, and not in it: {', '.join(unknown)}." if unknown else ""
    return f"Sum: {table['gain'].sum():,.0f} {base_currency}.{without}"


def gain(fills: list[Fill], day: str, marks: Marks, point_size: float) -> float:
    """What `fills` of one contract gained on `day`, in its own currency, commissions in that currency taken off."""
    held = sum(fill.quantity for fill in fills if fill.trading_day < day)
    today = [fill for fill in fills if fill.trading_day == day]
    moved = held * (marks.today - marks.before) if held else 0.0
    traded = sum(fill.quantity * (marks.today - float(fill.price)) for fill in today)
    costs = sum(float(fill.commission or 0) for fill in today)
    return (moved + traded) * point_size - costs


def _rows(data: DataBlob, day: str, end: pd.Timestamp, base_currency: str) -> list[dict[str, object]]:
    by_contract: dict[str, list[Fill]] = defaultdict(list)
    for fill in data.db_books.fills():
        if fill.contract is not None and fill.trading_day <= day:
            by_contract[fill.contract].append(fill)
    rows, known = [], data.db_instruments.load_all()
    for key, fills in sorted(by_contract.items()):
        code, marks, own = Contract.parse(key).instrument, _marks(data, key, end), float("nan")
        if code in known:
            instrument = known[code].instrument
            own = gain(fills, day, marks, instrument.point_size) * newest_rate(data, instrument.currency, base_currency)
        rows.append({"contract": key, "held": sum(fill.quantity for fill in fills),
                     "price before": price_cell(marks.before), "price": price_cell(marks.today), "gain": own})
    return [row for row in rows if row["held"] or row["gain"]]


def _marks(data: DataBlob, key: str, end: pd.Timestamp) -> Marks:
    closes = data.db_contract_prices.load(Contract.parse(key))["FINAL"].dropna()
    until, before = closes[closes.index < end], closes[closes.index < end - pd.Timedelta(days=1)]
    return Marks(today=float(until.iloc[-1]) if len(until) else float("nan"),
                 before=float(before.iloc[-1]) if len(before) else float("nan"))


def _account(data: DataBlob) -> pd.DataFrame:
    rows = []
    previous: float | None = None
    for day, capital in data.db_capital.history()[-10:]:
        change = capital.broker_value - previous if previous is not None else None
        rows.append({"day": day, "account": capital.broker_value, "change": change, "capital": capital.total})
        previous = capital.broker_value
    return pd.DataFrame(rows)
