"""How the service did on a trading day: processes, locks, and how fresh the prices are."""

import pandas as pd

from trading.data.data_blob import DataBlob
from trading.reports.report import Report, Section, price_cell


def collect(data: DataBlob, day: str, processes: tuple[str, ...]) -> Report:
    """Read the store; nothing is asked of the broker."""
    return Report(name="status", title="Status", day=day, sections=(
        Section(heading="Processes", table=_processes(data, processes)),
        Section(heading="Prices", table=_prices(data)),
        Section(heading="Locked instruments", table=_locks(data), note="" if data.db_locks.reasons() else "None."),
    ))


def _processes(data: DataBlob, names: tuple[str, ...]) -> pd.DataFrame:
    rows = []
    for control in data.db_processes.controls(names).values():
        last = control.last_run
        rows.append({"process": control.name, "state": control.state.value, "day": last.trading_day if last else None,
                     "started": last.started.strftime("%H:%M:%S") if last else None,
                     "ended": last.ended.strftime("%H:%M:%S") if last and last.ended else None,
                     "detail": control.detail})
    return pd.DataFrame(rows)


def _prices(data: DataBlob) -> pd.DataFrame:
    rows = []
    for code in data.db_multiple_prices.codes():
        frame = data.db_multiple_prices.load(code)
        known = frame["PRICE"].dropna()
        rows.append({"instrument": code, "contract": frame["PRICE_CONTRACT"].iloc[-1], "rows": len(frame),
                     "last price": price_cell(float(known.iloc[-1])),
                     "at (UTC)": known.index[-1].strftime("%Y-%m-%d %H:%M")})
    return pd.DataFrame(rows)


def _locks(data: DataBlob) -> pd.DataFrame:
    return pd.DataFrame([{"instrument": code, "reason": reason} for code, reason in data.db_locks.reasons().items()])
