"""What is held, beside what each strategy wanted to hold, and what that is worth."""

import pandas as pd

from trading.data.data_blob import DataBlob
from trading.objects.contracts import Contract
from trading.reports.rates import newest_rate
from trading.reports.report import Report, Section, price_cell


def collect(data: DataBlob, day: str, strategies: tuple[str, ...], base_currency: str) -> Report:
    """Positions by strategy with their buffers, and by contract with their value in the base currency."""
    return Report(name="positions", title="Positions", day=day, sections=(
        Section(heading="By strategy", table=_by_strategy(data, day, strategies)),
        Section(heading="By contract", table=_by_contract(data, base_currency),
                note=f"Values in {base_currency} at the last stored price."),
    ))


def _by_strategy(data: DataBlob, day: str, strategies: tuple[str, ...]) -> pd.DataFrame:
    held = data.db_books.strategy_positions()
    rows = []
    for strategy in strategies:
        wanted = data.db_optimal_positions.of_day(strategy, day)
        for code in sorted({*wanted, *(code for name, code in held if name == strategy)}):
            target = wanted.get(code)
            rows.append({"strategy": strategy, "instrument": code, "held": held.get((strategy, code), 0),
                         "optimal": target and target.optimal, "from": target and target.lower,
                         "to": target and target.upper})
    return pd.DataFrame(rows)


def _by_contract(data: DataBlob, base_currency: str) -> pd.DataFrame:
    """An instrument that nobody knows has no value, and is listed all the same."""
    rows, known = [], data.db_instruments.load_all()
    for key, quantity in data.db_books.contract_positions().items():
        code, _, month = key.rpartition("/")
        price, value, currency = _last_price(data, key), float("nan"), None
        if code in known:
            instrument = known[code].instrument
            currency = instrument.currency
            value = quantity * price * instrument.point_size * newest_rate(data, currency, base_currency)
        rows.append({"instrument": code, "contract": month, "lots": quantity, "price": price_cell(price),
                     "value": value, "currency": currency})
    return pd.DataFrame(rows)


def _last_price(data: DataBlob, key: str) -> float:
    known = data.db_contract_prices.load(Contract.parse(key))["FINAL"].dropna()
    return float(known.iloc[-1]) if len(known) else float("nan")
