"""A folder in pysystemtrade's csv layout, read as our own objects. Reads files, writes nothing.

Times without a zone are local times of the operator (London in the published data). Exchange names that Interactive
Brokers retired are translated here, so that nobody else has to know them.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import pandas as pd

from trading.data.csv.tables import Table, Tidied, tidied
from trading.errors import DataError
from trading.objects.instruments import BrokerInstrument, CurrencyPair, Instrument
from trading.objects.multiple_prices import MULTIPLE_COLUMNS, normalised
from trading.objects.prices import BAR_COLUMNS
from trading.objects.rolls import RollParameters

RETIRED_EXCHANGES: Final = {"GLOBEX": "CME", "ECBOT": "CBOT", "DTB": "EUREX", "SOFFEX": "EUREX", "CMECRYPTO": "CME"}
_BAR_SOURCE: Final = ("Open", "High", "Low", "Close", "Volume")


@dataclass(frozen=True)
class PysystemtradeFolder:
    """The files of one folder; every reader raises DataError with file, line and column."""

    folder: Path
    zone: ZoneInfo

    def files(self, kind: str) -> dict[str, Path]:
        """Name (instrument or pair) to file for a sub-folder such as multiple_prices_csv; empty when it is absent."""
        return {path.stem: path for path in sorted((self.folder / kind).glob("*.csv"))}

    def instruments(self) -> dict[str, Instrument]:
        table = Table.read(self.folder / "csvconfig" / "instrumentconfig.csv",
                           ("Instrument", "Pointsize", "Currency", "AssetClass", "Slippage", "PerBlock"))
        nothing = pd.Series(0.0, table.texts.index)
        numbers = {name: (table.numbers(name).fillna(0.0) if name in table.texts else nothing).tolist()
                   for name in ("Pointsize", "Slippage", "PerBlock", "Percentage", "PerTrade")}
        return {str(row.Instrument): Instrument(
            code=str(row.Instrument), point_size=numbers["Pointsize"][i], currency=str(row.Currency),
            asset_class=str(row.AssetClass), description=str(getattr(row, "Description", "")).strip(),
            slippage=numbers["Slippage"][i], cost_per_contract=numbers["PerBlock"][i],
            cost_percentage=numbers["Percentage"][i], cost_per_order=numbers["PerTrade"][i])
            for i, row in enumerate(table.texts.itertuples(index=False))}

    def roll_parameters(self) -> dict[str, RollParameters]:
        table = Table.read(self.folder / "csvconfig" / "rollconfig.csv",
                           ("Instrument", "HoldRollCycle", "RollOffsetDays", "CarryOffset", "PricedRollCycle",
                            "ExpiryOffset"))
        numbers = {name: table.numbers(name) for name in ("RollOffsetDays", "CarryOffset", "ExpiryOffset")}
        found: dict[str, RollParameters] = {}
        for i, row in enumerate(table.texts.itertuples(index=False)):
            try:
                found[str(row.Instrument)] = RollParameters(
                    hold_cycle=str(row.HoldRollCycle).strip(), priced_cycle=str(row.PricedRollCycle).strip(),
                    roll_offset_days=int(numbers["RollOffsetDays"][i]),
                    carry_offset=int(numbers["CarryOffset"][i]), expiry_offset_days=int(numbers["ExpiryOffset"][i]))
            except (DataError, ValueError) as error:
                raise DataError(f"{table.path}:{i + 2}: column HoldRollCycle: {error}") from error
        return found

    def broker_instruments(self, instruments: dict[str, Instrument]) -> dict[str, BrokerInstrument]:
        table = Table.read(self.folder / "ib_config" / "ib_config_futures.csv",
                           ("Instrument", "IBSymbol", "IBExchange", "IBCurrency", "IBMultiplier"))
        return {str(row.Instrument): _broker_instrument(row, instruments[str(row.Instrument)])
                for row in table.texts.itertuples(index=False) if str(row.Instrument) in instruments}

    def currency_pairs(self) -> dict[str, CurrencyPair]:
        table = Table.read(self.folder / "ib_config" / "ib_config_spot_FX.csv", ("CODE", "CCY1", "CCY2", "INVERT"))
        return {str(row.CODE): CurrencyPair(code=str(row.CODE), base=str(row.CODE)[:3], quote=str(row.CODE)[3:],
                                            inverted_at_broker=str(row.INVERT).strip().upper() == "YES")
                for row in table.texts.itertuples(index=False)}

    def multiple_prices(self, path: Path) -> Tidied:
        table = Table.read(path, ("DATETIME", *MULTIPLE_COLUMNS))
        columns = {name: table.numbers(name) for name in MULTIPLE_COLUMNS[:3]}
        columns |= {name: table.months(name) for name in MULTIPLE_COLUMNS[3:]}
        frame = pd.DataFrame(columns).set_axis(table.stamps("DATETIME", self.zone), axis=0)
        return tidied(normalised(frame))

    def adjusted_prices(self, path: Path) -> Tidied:
        return self._one_series(path, "DATETIME", "price")

    def fx_prices(self, path: Path) -> Tidied:
        return self._one_series(path, "DATETIME", "price")

    def contract_prices(self, path: Path) -> Tidied:
        table = Table.read(path, ("Time", *_BAR_SOURCE))
        columns = {ours: table.numbers(theirs) for ours, theirs in zip(BAR_COLUMNS, _BAR_SOURCE, strict=True)}
        return tidied(pd.DataFrame(columns).set_axis(table.stamps("Time", self.zone), axis=0))

    def roll_calendar(self, path: Path) -> Tidied:
        labels = ("current_contract", "next_contract", "carry_contract")
        table = Table.read(path, ("DATE_TIME", *labels))
        frame = pd.DataFrame({name: table.months(name) for name in labels})
        return _tidied_calendar(frame.set_axis(table.stamps("DATE_TIME", self.zone), axis=0))

    def _one_series(self, path: Path, stamp: str, value: str) -> Tidied:
        table = Table.read(path, (stamp, value))
        return tidied(pd.DataFrame({"PRICE": table.numbers(value)}).set_axis(table.stamps(stamp, self.zone), axis=0))


def _tidied_calendar(frame: pd.DataFrame) -> Tidied:
    numbered = tidied(frame.assign(row=1.0))
    return Tidied(numbered.frame.drop(columns="row"), numbered.remarks)


def _broker_instrument(row: "object", instrument: Instrument) -> BrokerInstrument:
    symbol, exchange, currency, multiplier = (
        str(getattr(row, name)).strip() for name in ("IBSymbol", "IBExchange", "IBCurrency", "IBMultiplier"))
    size = instrument.point_size if multiplier in ("", "NA") else float(multiplier)
    scale = str(getattr(row, "MyMultiplier", "1")).strip()
    return BrokerInstrument(
        code=instrument.code, symbol=symbol, exchange=RETIRED_EXCHANGES.get(exchange, exchange),
        currency=instrument.currency if currency in ("", "NA") else currency, multiplier=_plain(size),
        price_magnifier=int(float(scale)) if scale not in ("", "NA") and float(scale) >= 1 else 1,
        ignore_weekly=str(getattr(row, "IgnoreWeekly", "")).strip().upper() == "TRUE")


def _plain(number: float) -> str:
    return str(int(number)) if number == int(number) else repr(number)
