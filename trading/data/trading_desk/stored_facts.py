"""What stored prices say of instruments: their contracts and their risk. Loads pandas; never needed by a deed."""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from trading.data.data_blob import DataBlob
from trading.data.mongo.connection import MongoStore
from trading.data.risk.instrument_risk import InstrumentRisk
from trading.data.roll_watch import RollingContracts, RollWatch
from trading.errors import DataError, NotFound


def instrument_risks(store: MongoStore, base_currency: str, codes: Iterable[str],
                     now: datetime) -> dict[str, InstrumentRisk]:
    """The numbers of each instrument that was imported, as of `now`."""
    data = DataBlob(store=store, clock=store.clock, socket=Path())  # the broker is not asked
    records = data.db_instruments.load_all(list(codes))
    return {code: InstrumentRisk(data, record.instrument, base_currency, now)
            for code, record in records.items()}


def annual_risks(store: MongoStore, base_currency: str, now: datetime) -> dict[str, float]:
    """The annual risk of a lot, in `base_currency`, of what is held; those that are not known are missing."""
    data = DataBlob(store=store, clock=store.clock, socket=Path())
    held = {code for _, code in data.db_books.strategy_positions()}
    found = {code: risk.annual_risk for code, risk in instrument_risks(store, base_currency, held, now).items()}
    return {code: risk for code, risk in found.items() if risk is not None}


def rolling_contracts(data: DataBlob, code: str) -> RollingContracts:
    """The two contracts that a roll is about, and what is held of each.

    Raises:
        NotFound: no prices say so.
    """
    newest = data.db_multiple_prices.series.last_stamp(code)
    day = data.clock.now().date() if newest is None else newest.date()
    try:
        return RollWatch(data, day, who="").contracts(code)
    except DataError as error:
        raise NotFound(str(error)) from error
