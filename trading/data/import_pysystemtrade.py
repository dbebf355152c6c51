"""Bring a pysystemtrade folder into the store: every good file, a line about each, and again without duplicates.

A malformed file is refused whole and named with line and column; the others go in.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

import pandas as pd

from trading.data.csv.pysystemtrade import PysystemtradeFolder
from trading.data.csv.tables import Tidied
from trading.data.mongo.connection import MongoStore
from trading.data.mongo.instruments import InstrumentRecord, MongoInstruments
from trading.data.mongo.prices import (
    MongoAdjustedPrices,
    MongoFuturesContractPriceData,
    MongoFxPrices,
    MongoMultiplePrices,
)
from trading.data.mongo.roll_calendars import MongoRollCalendars
from trading.data.mongo.settings import MongoSettings, Playback
from trading.errors import DataError
from trading.objects.contracts import Contract
from trading.objects.recorded_days import recorded_days

Row = TypeVar("Row")
SERIES_FOLDERS = ("multiple_prices_csv", "adjusted_prices_csv", "roll_calendars_csv", "fx_prices_csv")


@dataclass(frozen=True, kw_only=True)
class ImportedFile:
    """What happened to one file."""

    file: str
    read: int = 0
    added: int = 0
    held_back: int = 0
    remarks: tuple[str, ...] = ()
    error: str | None = None


@dataclass(frozen=True)
class PysystemtradeImport:
    """One import; `hold_back_days` recorded days at the end stay with the simulated gateway."""

    store: MongoStore
    folder: Path
    zone: ZoneInfo
    hold_back_days: int = 0

    def run(self) -> Iterator[ImportedFile]:
        """Import file by file, in an order in which nothing refers to what is not there yet.

        Raises:
            DataError: the folder holds nothing that could be imported.
        """
        source = PysystemtradeFolder(self.folder, self.zone)
        if not any(source.files(kind) for kind in ("csvconfig", *SERIES_FOLDERS)):
            raise DataError(f"{self.folder} holds no pysystemtrade data; expected folders such as csvconfig and "
                            f"multiple_prices_csv with csv files in them.")
        yield from self._configuration(source)
        multiple, lines = self._read_multiple(source)
        cutoff = self._hold_back({code: tidy.frame["PRICE"] for code, tidy in multiple.items()})
        yield from lines
        yield from (self._store(f"multiple_prices_csv/{code}.csv", tidy, cutoff,
                                partial(MongoMultiplePrices(self.store).append, code))
                    for code, tidy in multiple.items())
        yield from self._series(source, cutoff)
        MongoSettings(self.store).note_imported()

    def _configuration(self, source: PysystemtradeFolder) -> Iterator[ImportedFile]:
        """Instruments, rolls, broker names and pairs; a broken file leaves its part of the old configuration."""
        lines: list[ImportedFile] = []
        instruments = self._table("csvconfig/instrumentconfig.csv", source.instruments, lines)
        rolls = self._table("csvconfig/rollconfig.csv", source.roll_parameters, lines)
        names = self._table("ib_config/ib_config_futures.csv", lambda: source.broker_instruments(instruments), lines)
        pairs = self._table("ib_config/ib_config_spot_FX.csv", source.currency_pairs, lines)
        repository = MongoInstruments(self.store)
        stored = repository.load_all()
        records = {code: InstrumentRecord(instrument=instrument,
                                          rolls=rolls.get(code) or (stored[code].rolls if code in stored else None),
                                          broker=names.get(code) or (stored[code].broker if code in stored else None))
                   for code, instrument in instruments.items()}
        repository.save_all(records)
        repository.save_pairs(pairs)
        yield from lines

    def _table(self, file: str, read: Callable[[], dict[str, Row]], lines: list[ImportedFile]) -> dict[str, Row]:
        try:
            rows = read()
        except DataError as error:
            lines.append(ImportedFile(file=file, error=str(error)))
            return {}
        lines.append(ImportedFile(file=file, read=len(rows), added=len(rows)))
        return rows

    def _read_multiple(self, source: PysystemtradeFolder) -> tuple[dict[str, Tidied], list[ImportedFile]]:
        good: dict[str, Tidied] = {}
        bad: list[ImportedFile] = []
        for code, path in source.files("multiple_prices_csv").items():
            try:
                good[code] = source.multiple_prices(path)
            except DataError as error:
                bad.append(ImportedFile(file=f"multiple_prices_csv/{path.name}", error=str(error)))
        return good, bad

    def _hold_back(self, prices: dict[str, pd.Series]) -> datetime | None:
        """The end of the last day that goes into the store; what was decided at the first import stays decided."""
        settings = MongoSettings(self.store)
        playback = settings.playback()
        if playback is None and self.hold_back_days and prices:
            days = recorded_days(prices.values(), self.zone)[-self.hold_back_days:]
            playback = Playback(days=tuple(days), source=str(self.folder.resolve()))
            settings.save_playback(playback)
        if playback is None or not playback.days:
            return None
        return end_of_day_before(playback.days[0], self.zone)

    def _series(self, source: PysystemtradeFolder, cutoff: datetime | None) -> Iterator[ImportedFile]:
        adjusted, fx = MongoAdjustedPrices(self.store), MongoFxPrices(self.store)
        bars, calendars = MongoFuturesContractPriceData(self.store), MongoRollCalendars(self.store)
        for code, path in source.files("adjusted_prices_csv").items():
            yield self._file(path, source.adjusted_prices, cutoff,
                             partial(_append_prices, adjusted.append, code))
        for code, path in source.files("roll_calendars_csv").items():
            yield self._file(path, source.roll_calendar, cutoff, partial(calendars.save, code))
        for pair, path in source.files("fx_prices_csv").items():
            yield self._file(path, source.fx_prices, cutoff,
                             partial(_append_prices, fx.append, pair))
        for folder in sorted(self.folder.glob("contract_prices*")):
            for name, path in source.files(folder.name).items():
                yield self._file(path, source.contract_prices, cutoff, partial(_append_bars, bars, name))

    def _file(self, path: Path, read: Callable[[Path], Tidied], cutoff: datetime | None,
              save: Callable[[pd.DataFrame], int]) -> ImportedFile:
        name = f"{path.parent.name}/{path.name}"
        try:
            return self._store(name, read(path), cutoff, save)
        except DataError as error:
            return ImportedFile(file=name, error=str(error))

    def _store(self, name: str, tidy: Tidied, cutoff: datetime | None,
               save: Callable[[pd.DataFrame], int]) -> ImportedFile:
        frame = tidy.frame if cutoff is None else tidy.frame[tidy.frame.index <= cutoff]
        added = save(frame) if len(frame) else 0
        return ImportedFile(file=name, read=len(tidy.frame), added=added, held_back=len(tidy.frame) - len(frame),
                            remarks=tidy.remarks)


def _append_prices(append: Callable[[str, pd.Series], int], key: str, rows: pd.DataFrame) -> int:
    return append(key, rows["PRICE"].dropna())


def _append_bars(bars: MongoFuturesContractPriceData, name: str, rows: pd.DataFrame) -> int:
    """`name` is the file's: INSTRUMENT_YYYYMM00."""
    instrument, _, month = name.rpartition("_")
    return bars.append(Contract.of(instrument, month), rows)


def end_of_day_before(day: date, zone: ZoneInfo) -> datetime:
    """The last instant of the local day before `day`, in UTC."""
    return datetime.combine(day, time(0), zone).astimezone(UTC) - timedelta(milliseconds=1)
