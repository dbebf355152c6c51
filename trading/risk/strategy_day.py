"""What a strategy has made on a day, beside what is usual for what it holds (RC-27). Plain values."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class StrategyDay:
    """In the base currency; `expected_vol` is the standard deviation of a day, of the larger book of that day."""

    strategy: str
    result: float
    expected_vol: float
