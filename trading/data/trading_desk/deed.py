"""A deed as it is asked for, planned, shown and done. Plain values, no database."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from pymongo.client_session import ClientSession

from trading.errors import TradingError

if TYPE_CHECKING:
    from trading.data.trading_desk.records import Records

Facts = Mapping[str, Any]  # what a person reads: words to plain values, no nesting


class DeedRefused(TradingError):
    """The words are right, but things are not so that it may be done; nothing was changed."""


@dataclass(frozen=True, kw_only=True)
class Signed:
    """Who does it, why, when (aware), and the id under which it is done once."""

    id: str
    who: str
    why: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What a deed would do."""

    deed: str
    before: Facts
    after: Facts
    meaning: str
    warnings: tuple[str, ...] = ()
    code: str = ""  # to be given back, where one look is not enough


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a deed did. `is_repeated`: it was done before, under the same id."""

    deed: str
    id: str
    who: str
    why: str
    at: datetime
    before: Facts
    after: Facts
    done: str
    warnings: tuple[str, ...] = ()
    is_repeated: bool = False


def _nothing(_session: ClientSession) -> None:
    """Nothing is to be written."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a deed would change, in words, and the steps that change it, as a part of a transaction.

    `story` is the instrument order that it is about, if it is about one.
    """

    before: Facts
    after: Facts
    meaning: str
    done: str
    write: Callable[[ClientSession], object] = field(default=_nothing)
    warnings: tuple[str, ...] = ()
    story: str = ""
    code: str = ""


class Deed(ABC):
    """Something that a person asks for. A frozen dataclass with plain fields."""

    verb: ClassVar[str]

    @abstractmethod
    def plan(self, records: "Records", signed: Signed) -> Plan:
        """What it would change, as things are now.

        Raises:
            ConfigError, NotFound: the words are wrong; the sentence says which.
            DeedRefused: things are not so that it may be done.
        """

    def first(self) -> "Deed | None":
        """What must be stored before, in a transaction of its own."""
        return None
