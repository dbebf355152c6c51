"""Read one csv file strictly: every complaint names file, line and column. Empty cells are missing values."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from trading.errors import DataError

_MISSING = {"", "nan", "na", "null", "none"}


@dataclass(frozen=True)
class Table:
    """The texts of one file; row i stands in line i + 2."""

    path: Path
    texts: pd.DataFrame

    @classmethod
    def read(cls, path: Path, columns: Sequence[str]) -> "Table":
        """Read `path`, which must have at least `columns`.

        Raises:
            DataError: unreadable, not csv, or a column is missing.
        """
        try:
            texts = pd.read_csv(path, dtype=str, keep_default_na=False, skip_blank_lines=False, encoding="utf-8")
        except (OSError, UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
            raise DataError(f"{path}:1: cannot be read as csv: {error}.") from error
        spelling = {column.lower(): column for column in columns}
        texts = texts.rename(columns=lambda found: spelling.get(str(found).strip().lower(), found))
        for column in columns:
            if column not in texts.columns:
                raise DataError(f"{path}:1: column {column} is missing (found: {', '.join(map(str, texts.columns))}).")
        return cls(path, texts.fillna(""))

    def numbers(self, column: str) -> pd.Series:
        """Floats of `column`; NaN where the cell is empty.

        Raises:
            DataError: a cell is neither empty nor a finite number.
        """
        cells = self.texts[column].str.strip()
        values = pd.to_numeric(cells.where(~cells.str.lower().isin(_MISSING)), errors="coerce").astype("float64")
        wrong = (values.isna() & ~cells.str.lower().isin(_MISSING)) | np.isinf(values)
        self._refuse(column, wrong, "is no number")
        return values

    def months(self, column: str) -> pd.Series:
        """Contract labels YYYYMM00 of `column`; '' where the cell is empty."""
        cells = self.texts[column].str.strip().str.removesuffix(".0")
        cells = cells.where(~cells.str.lower().isin(_MISSING), "")
        good = cells.eq("") | cells.str.fullmatch(r"\d{4}(0[1-9]|1[0-2])(\d\d)?")
        self._refuse(column, ~good, "is no contract date (expected YYYYMM00)")
        return cells.where(cells.eq(""), cells.str[:6] + "00")

    def stamps(self, column: str, zone: ZoneInfo) -> pd.DatetimeIndex:
        """UTC times of `column`; times without a zone are local times of `zone`."""
        cells = self.texts[column].str.strip()
        parsed = pd.to_datetime(cells, format="ISO8601", errors="coerce", utc=bool(cells.str.contains(r"[+Z]").any()))
        self._refuse(column, parsed.isna(), "is no time (expected YYYY-MM-DD HH:MM:SS)")
        return to_utc(pd.DatetimeIndex(parsed), zone)

    def _refuse(self, column: str, wrong: pd.Series, why: str) -> None:
        if bool(wrong.any()):
            row = int(np.flatnonzero(wrong.to_numpy())[0])
            raise DataError(f"{self.path}:{row + 2}: column {column}: {self.texts[column].iloc[row]!r} {why}.")


def to_utc(stamps: pd.DatetimeIndex, zone: ZoneInfo) -> pd.DatetimeIndex:
    """UTC times; a local time that occurs twice is its first pass, one that does not exist moves forward."""
    if stamps.tz is not None:
        return stamps.tz_convert("UTC").as_unit("ms")
    local = stamps.tz_localize(zone, ambiguous=np.ones(len(stamps), dtype=bool), nonexistent="shift_forward")
    return local.tz_convert("UTC").as_unit("ms")


@dataclass(frozen=True)
class Tidied:
    """A frame in order of time without repeated stamps, and what had to be done for that, in words."""

    frame: pd.DataFrame
    remarks: tuple[str, ...]


def tidied(frame: pd.DataFrame) -> Tidied:
    """Sort by time, keep the last of repeated stamps, drop rows without any value; say so."""
    remarks = []
    if not frame.index.is_monotonic_increasing:
        frame = frame.sort_index(kind="stable")
        remarks.append("rows were not in order of time")
    repeated = int(frame.index.duplicated(keep="last").sum())
    if repeated:
        frame = frame[~frame.index.duplicated(keep="last")]
        remarks.append(f"{repeated} repeated times (last kept)")
    prices = frame.select_dtypes("number")
    missing = int(prices.iloc[:, 0].isna().sum())
    if missing:
        remarks.append(f"{missing} without {prices.columns[0]}")
    negative = int((prices.iloc[:, 0] < 0).sum())
    if negative:
        remarks.append(f"{negative} negative")
    return Tidied(frame, tuple(remarks))
