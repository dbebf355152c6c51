"""What a system wants to hold in an instrument: any number of lots inside a buffer is good enough. Pure."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class BufferedPosition:
    """Lots, not rounded, with lower <= optimal <= upper; decided at `as_of` on `reference_price` of a contract."""

    lower: float
    upper: float
    optimal: float
    reference_price: float
    reference_contract: str
    as_of: datetime
    previous: float | None = None  # the optimum of the day before
    usual_change: float | None = None  # standard deviation of its daily changes over the last 60 days, lots
