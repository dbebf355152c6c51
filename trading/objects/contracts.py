"""One futures contract: an instrument and a delivery month, written YYYYMM00 as pysystemtrade does."""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import total_ordering
from typing import Final

from trading.errors import DataError

MONTH_LETTERS: Final = "FGHJKMNQUVXZ"  # January to December


@total_ordering
@dataclass(frozen=True)
class DeliveryMonth:
    """Year and month of delivery; orders by time."""

    year: int
    month: int

    @classmethod
    def parse(cls, text: str) -> "DeliveryMonth":
        """Read 20211200, 202112 or 20211215 (as text; a trailing .0 from a csv is tolerated).

        Raises:
            DataError: the text is no contract date.
        """
        digits = str(text).removesuffix(".0").strip()
        if not (digits.isdecimal() and len(digits) in (6, 8) and 1 <= int(digits[4:6]) <= 12):
            raise DataError(f"{text!r} is no contract date; expected YYYYMM00, for example 20211200.")
        return cls(int(digits[:4]), int(digits[4:6]))

    def __str__(self) -> str:
        return f"{self.year:04d}{self.month:02d}00"

    def __lt__(self, other: "DeliveryMonth") -> bool:
        return (self.year, self.month) < (other.year, other.month)

    @property
    def letter(self) -> str:
        """F for January to Z for December."""
        return MONTH_LETTERS[self.month - 1]

    @property
    def first_day(self) -> date:
        return date(self.year, self.month, 1)

    def shifted(self, months: int) -> "DeliveryMonth":
        """The delivery month `months` later (earlier when negative)."""
        index = self.year * 12 + self.month - 1 + months
        return DeliveryMonth(index // 12, index % 12 + 1)

    def approximate_expiry(self, expiry_offset_days: int) -> date:
        """First day of the month plus the offset, until the broker tells the real date (pysystemtrade.md 3.2)."""
        return self.first_day + timedelta(days=expiry_offset_days)


@total_ordering
@dataclass(frozen=True)
class Contract:
    """One delivery month of one instrument; the key of prices, positions and orders."""

    instrument: str
    month: DeliveryMonth

    @classmethod
    def of(cls, instrument: str, month: str) -> "Contract":
        return cls(instrument, DeliveryMonth.parse(month))

    @classmethod
    def parse(cls, key: str) -> "Contract":
        """Read a key such as SP500/20211200."""
        instrument, _, month = key.rpartition("/")
        if not instrument:
            raise DataError(f"{key!r} is no contract; expected INSTRUMENT/YYYYMM00, for example SP500/20211200.")
        return cls.of(instrument, month)

    @property
    def key(self) -> str:
        return f"{self.instrument}/{self.month}"

    def __str__(self) -> str:
        return self.key

    def __lt__(self, other: "Contract") -> bool:
        return (self.instrument, self.month) < (other.instrument, other.month)
