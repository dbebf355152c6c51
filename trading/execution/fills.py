"""One execution, as the broker reported it, with all its corrections. The only source of positions. Pure.

An execution is known by its id without the last group, which counts its revisions: a higher one replaces, a lower one
that comes later is kept but not used, and a revision of no lots is a bust (orders_and_risk.md 2.7). Two different
contents under one revision are a conflict: the first stays, and a person is called.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from trading.execution.documents import Document, from_document, to_document
from trading.risk.order_kind import OrderKind

EXTERNAL: Final = "_EXTERNAL"  # whose fills are that no order of ours asked for
MANUAL: Final = "MANUAL-"  # how the execution ids begin that no broker gave


class FillStatus(StrEnum):
    """Whether an execution counts."""

    ACTIVE = "ACTIVE"
    BUSTED = "BUSTED"  # the exchange took it back
    QUARANTINED = "QUARANTINED"  # of the wrong side: booked as nobody's


@dataclass(frozen=True, kw_only=True)
class Revision:
    """What one version of an execution said."""

    number: int
    execution_id: str
    quantity: int
    price: Decimal
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Fill:
    """So many lots at a price; `id` is account and execution id without its revision, so a correction replaces."""

    id: str
    execution_id: str
    revision: int
    broker_order: str | None  # None: nobody's order of ours
    contract: str | None  # None: one that we do not know
    con_id: int
    quantity: int  # signed, + bought
    price: Decimal
    at: datetime
    trading_day: str
    strategy: str = EXTERNAL
    kind: OrderKind | None = None  # of the order; None: nobody's
    instrument: str | None = None
    reference: str = ""  # what the broker says that the order was called
    perm_id: int = 0
    is_behind: bool = False  # of the far month of a spread, whose lots were counted in the near one
    is_liquidation: bool = False  # the broker closed a position on its own
    status: FillStatus = FillStatus.ACTIVE
    revisions: tuple[Revision, ...] = ()  # every one that was heard of
    commission: Decimal | None = None  # None: not yet known; it never holds a fill back
    commission_currency: str | None = None
    version: int = 0
    chain: str = ""

    @property
    def is_foreign(self) -> bool:
        return self.broker_order is None

    @property
    def said(self) -> Revision:
        """The revision that counts."""
        return Revision(number=self.revision, execution_id=self.execution_id, quantity=self.quantity,
                        price=self.price, at=self.at)

    def as_dict(self) -> Document:
        return to_document(self)

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> "Fill":
        """What `as_dict` gave; raises Unreadable for anything else."""
        return from_document(cls, document)


@dataclass(frozen=True, kw_only=True)
class Commission:
    """What an execution cost; told apart from it, and perhaps before it."""

    id: str  # of the fill
    amount: Decimal
    currency: str


@dataclass(frozen=True, kw_only=True)
class Merge:
    """What becomes of a fill when it is heard of (again)."""

    fill: Fill
    change: int  # lots by which positions move
    is_news: bool
    conflict: str = ""  # a sentence, when the broker contradicts itself


def merged(known: Fill | None, heard: Fill) -> Merge:
    """`known` after `heard`; applying any set of revisions in any order and number gives the same fill."""
    if known is None:
        fresh = replace(heard, revisions=(heard.said,), status=_status(heard))
        return Merge(fill=fresh, change=heard.quantity, is_news=True)
    same = next((each for each in known.revisions if each.number == heard.revision), None)
    if same is not None:
        return Merge(fill=known, change=0, is_news=False, conflict=_conflict(heard, same))
    revisions = tuple(sorted((*known.revisions, heard.said), key=lambda each: each.number))
    if heard.revision < known.revision:
        return Merge(fill=replace(known, revisions=revisions), change=0, is_news=True)
    newer = replace(known, revisions=revisions, revision=heard.revision, execution_id=heard.execution_id,
                    quantity=heard.quantity, price=heard.price, at=heard.at)
    return Merge(fill=replace(newer, status=_status(newer)), change=heard.quantity - known.quantity, is_news=True)


def busted(known: Fill) -> Merge:
    """What becomes of `known` when the exchange takes it back."""
    return merged(known, taken_back(known))


def taken_back(known: Fill) -> Fill:
    """`known` as it is heard of when the exchange takes it back: a revision of no lots behind all others."""
    return replace(known, revision=known.revision + 1, quantity=0, execution_id=f"{known.execution_id}/busted")


def quarantined(fill: Fill) -> Fill:
    """`fill` as nobody's: it is of the other side of the order that it names."""
    return replace(fill, broker_order=None, strategy=EXTERNAL, status=FillStatus.QUARANTINED)


def _status(fill: Fill) -> FillStatus:
    if fill.status is FillStatus.QUARANTINED:
        return FillStatus.QUARANTINED
    return FillStatus.ACTIVE if fill.quantity else FillStatus.BUSTED


def _conflict(heard: Fill, said: Revision) -> str:
    if (heard.quantity, heard.price) == (said.quantity, said.price):
        return ""
    return (f"execution {heard.execution_id} was reported as {said.quantity:+d} at {said.price}, and now as "
            f"{heard.quantity:+d} at {heard.price}; the first stays in the books")


def execution_base(execution_id: str) -> tuple[str, int]:
    """An execution id without its last group, and that group as a number: 0001.02.01.03 -> (0001.02.01, 3)."""
    base, _, revision = execution_id.rpartition(".")
    return (base, int(revision)) if base and revision.isdecimal() else (execution_id, 1)
