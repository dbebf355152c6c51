"""One execution, as the broker reported it. The only source of positions. Pure."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True, kw_only=True)
class Fill:
    """So many lots at a price. `id` is the execution id without its revision, so a correction replaces."""

    id: str
    execution_id: str
    revision: int
    broker_order: str | None  # None: nobody's order of ours
    contract: str | None
    con_id: int
    quantity: int  # signed, + bought
    price: Decimal
    at: datetime
    trading_day: str
    commission: Decimal | None = None  # None: not yet known; it never holds a fill back
    commission_currency: str | None = None


def execution_base(execution_id: str) -> tuple[str, int]:
    """An execution id without its last group, and that group as a number: 0001.02.01.03 -> (0001.02.01, 3)."""
    base, _, revision = execution_id.rpartition(".")
    return (base, int(revision)) if base and revision.isdecimal() else (execution_id, 1)
