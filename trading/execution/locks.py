"""Why an instrument must not be traded, one lock a cause, and which of them open by themselves. Pure.

A lock opens without a person only when what caused it has been identified by what the broker said; that two numbers
agree again proves nothing, since two errors can cancel out (orders_and_risk.md 4.2).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final


class LockCause(StrEnum):
    """What happened."""

    UNKNOWN_ORDER = "UNKNOWN_ORDER"  # an order's fate is not known
    TWIN_ORDER = "TWIN_ORDER"  # an order lives twice at the broker
    POSITION_BREAK = "POSITION_BREAK"  # our books and the broker differ
    FOREIGN_FILL = "FOREIGN_FILL"  # somebody else traded in our account
    OVERFILL = "OVERFILL"  # more was filled than was ordered
    UNEXPECTED_FILL = "UNEXPECTED_FILL"  # an order traded after its end was proven
    LEG_IMBALANCE = "LEG_IMBALANCE"  # one month of a spread has traded and the other has not
    CONFLICT = "CONFLICT"  # the broker said two different things about one execution
    REPEATED_ORDERS = "REPEATED_ORDERS"  # too many broker orders for one parent in a short time
    REFERENCE_DATA = "REFERENCE_DATA"  # the contract at the broker is not what is configured
    UNKNOWN_CONTRACT = "UNKNOWN_CONTRACT"  # the broker holds a contract that we do not know
    FOREIGN_ORDER = "FOREIGN_ORDER"  # somebody else's order rests in a contract of ours
    LOST_ORDER = "LOST_ORDER"  # the broker names an order of ours that our store lacks
    BOOKS_DIFFER = "BOOKS_DIFFER"  # positions are not the sum of their fills
    OPERATOR = "OPERATOR"  # a person locked it


OPENS_BY_ITSELF: Final = frozenset({  # once explained; see reconciliation/openings.py and who resolves orders
    LockCause.UNKNOWN_ORDER, LockCause.TWIN_ORDER, LockCause.FOREIGN_FILL, LockCause.POSITION_BREAK,
    LockCause.FOREIGN_ORDER, LockCause.UNKNOWN_CONTRACT})


CALLS_A_PERSON: Final = frozenset(LockCause) - {LockCause.UNKNOWN_ORDER, LockCause.OPERATOR}  # when it is opened


@dataclass(frozen=True, kw_only=True)
class Lock:
    """One lock. `subject` is the order, contract or execution that it is about."""

    instrument: str
    cause: LockCause
    subject: str
    reason: str
    opened_at: datetime
    opened_by: str = "tradingd"
    facts: dict[str, Any] = field(default_factory=dict)  # the numbers of the moment

    @property
    def id(self) -> str:
        return f"{self.instrument}|{self.cause}|{self.subject}"

    @property
    def needs_person(self) -> bool:
        return self.cause not in OPENS_BY_ITSELF


def reasons_of(locks: Iterable[Lock]) -> Mapping[str, str]:
    """Each locked instrument and why, all causes in one line."""
    found: dict[str, list[str]] = {}
    for lock in locks:
        found.setdefault(lock.instrument, []).append(lock.reason)
    return {instrument: "; ".join(reasons) for instrument, reasons in sorted(found.items())}


class Standing(StrEnum):
    """What locks leave of an instrument for the orders in it."""

    FREE = "FREE"
    HELD = "HELD"  # nothing is sent; what rests stays, for a cancel could hit the wrong order or prove nothing
    WITHDRAWN = "WITHDRAWN"  # nothing is sent, and what rests is taken back


_HOLDS: Final = frozenset({LockCause.UNKNOWN_ORDER, LockCause.TWIN_ORDER})


def standing_of(locks: Iterable[Lock]) -> dict[str, Standing]:
    """Each locked instrument, by the strictest of its locks."""
    found: dict[str, Standing] = {}
    for lock in locks:
        is_milder = lock.cause in _HOLDS and found.get(lock.instrument) is not Standing.WITHDRAWN
        found[lock.instrument] = Standing.HELD if is_milder else Standing.WITHDRAWN
    return found
