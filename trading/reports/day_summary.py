"""The day in a dozen lines: what the operator reads first."""

from trading.data.data_blob import DataBlob
from trading.reports.report import cell


def day_summary(data: DataBlob, day: str, base_currency: str) -> str:
    """Capital, orders, fills, positions and locks of `day`."""
    capital = data.db_capital.latest()
    orders = [row for row in data.db_orders.everything(only_open=False)["instrument_orders"]
              if row["trading_day"] == day]
    fills = data.db_books.fills(day)
    lines = [f"Capital      {capital.total:,.0f} {base_currency}" if capital else "Capital      not known yet",
             f"Orders       {len(orders)}, filled {sum(row['close_reason'] == 'FILLED' for row in orders)}; "
             f"{len(fills)} fills, {sum(abs(fill.quantity) for fill in fills):,} lots"]
    held = data.db_books.contract_positions()
    lines.append(f"Positions    {len(held)} contracts")
    lines += [f"             {line}" for line in _columns([f"{key:<22}{cell(lots):>6}" for key, lots in held.items()])]
    lines += [f"Locked       {code}: {reason}" for code, reason in data.db_locks.reasons().items()]
    return "\n".join(lines) + "\n"


def _columns(cells: list[str], across: int = 2) -> list[str]:
    rows = -(-len(cells) // across)
    return ["    ".join(cells[row + rows * column] for column in range(across) if row + rows * column < len(cells))
            for row in range(rows)]
