"""The gateway's memory: orders, executions and contracts in SQLite, one transaction an event.

A commit has reached the disk when it returns, so a client never hears of an event that a crash could undo. One
gateway writes a folder at a time; the read_ functions work on it from outside, whether a gateway runs or not.
"""

import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, TypeVar, get_type_hints

from trading.broker.simulated.book import Book, Changes, book_of
from trading.broker.simulated.listing import ContractFacts
from trading.broker.simulated.order_types import OrderType, TimeInForce
from trading.broker.simulated.orders import Action, Execution, Order, OrderStatus
from trading.errors import StoreError

DATABASE: Final = "world.sqlite3"
LOCK: Final = "gateway.lock"
KEYS: Final[dict[type, str]] = {ContractFacts: "con_id", Order: "perm_id", Execution: "exec_id"}
TABLES: Final[dict[type, str]] = {ContractFacts: "contracts", Order: "orders", Execution: "executions"}

Record = TypeVar("Record", ContractFacts, Order, Execution)
AnyRecord = ContractFacts | Order | Execution
Cell = str | int | float | None


class StateInUse(StoreError):
    """Another gateway keeps its world in this folder."""

    def __init__(self, state: Path) -> None:
        super().__init__(f"Another simulated gateway is running on {state}. "
                         f"Stop it first, or give this one a folder of its own.")


@dataclass(frozen=True, kw_only=True)
class HeldPosition:
    """A position in one futures contract; `average_cost` includes multiplier and commission."""

    account: str
    con_id: int
    symbol: str
    exchange: str
    currency: str
    month: str  # of delivery, YYYYMM
    multiplier: str
    quantity: int
    average_cost: float


class World:
    """The open database of one gateway."""

    def __init__(self, state: Path) -> None:
        """Open or create the world in folder `state`.

        Raises:
            StateInUse: another process has it open.
        """
        state.mkdir(parents=True, exist_ok=True)
        self._lock = _lock(state)
        self._database = sqlite3.connect(state / DATABASE, isolation_level=None)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=FULL")
        for kind in TABLES:
            self._database.execute(_create_statement(kind))

    def load(self) -> Book:
        return _load(self._database)

    def commit(self, changes: Changes) -> None:
        """Write all of `changes` or nothing; on return they are on disk."""
        with self._database:
            self._database.execute("BEGIN IMMEDIATE")
            records: tuple[AnyRecord, ...] = (*changes.contracts, *changes.orders, *changes.executions)
            for record in records:
                self._database.execute(_upsert_statement(type(record)), _to_row(record))

    def close(self) -> None:
        self._database.close()
        os.close(self._lock)


def read_positions(state: Path) -> list[HeldPosition]:
    """Every position that is not zero, from the files alone."""
    with _reading(state) as book:
        return [_held(account, book.contracts[holding.con_id], holding.quantity, holding.average_cost)
                for account, own in book.accounts.items() for holding in own.open_holdings()]


def read_executions(state: Path) -> list[Execution]:
    """Every fill ever, oldest first."""
    with _reading(state) as book:
        return list(book.executions)


def read_orders(state: Path) -> list[Order]:
    """Every order ever accepted, oldest first."""
    with _reading(state) as book:
        return list(book.orders.values())


def _held(account: str, facts: ContractFacts, quantity: int, average_cost: float) -> HeldPosition:
    return HeldPosition(account=account, con_id=facts.con_id, symbol=facts.symbol, exchange=facts.exchange,
                        currency=facts.currency, month=facts.month, multiplier=facts.multiplier, quantity=quantity,
                        average_cost=average_cost)


def _lock(state: Path) -> int:
    handle = os.open(state / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise StateInUse(state) from None
    return handle


@contextmanager
def _reading(state: Path) -> Iterator[Book]:
    """The book as it is now; empty where no gateway ever ran."""
    path = state / DATABASE
    if not path.exists():
        yield Book()
        return
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        yield _load(database)


def _load(database: sqlite3.Connection) -> Book:
    """One transaction, so that an execution never appears without its order."""
    database.execute("BEGIN")
    book = book_of(_all(database, ContractFacts), _all(database, Order), _all(database, Execution))
    database.execute("COMMIT")
    return book


def _all(database: sqlite3.Connection, kind: type[Record]) -> Iterable[Record]:
    """All records in the order in which they were first written."""
    hints = get_type_hints(kind)
    names = [column.name for column in fields(kind)]
    rows = database.execute(f"SELECT {', '.join(names)} FROM {TABLES[kind]} ORDER BY rowid")  # noqa: S608 our names
    return [_from_row(kind, names, hints, row) for row in rows.fetchall()]


def _from_row(kind: type[Record], names: list[str], hints: dict[str, Any], row: tuple[Cell, ...]) -> Record:
    values: dict[str, Any] = {name: _from_cell(hints[name], cell) for name, cell in zip(names, row, strict=True)}
    return kind(**values)


def _create_statement(kind: type) -> str:
    columns = ", ".join(f"{column.name} {'UNIQUE NOT NULL' if column.name == KEYS[kind] else ''}"
                        for column in fields(kind))
    return f"CREATE TABLE IF NOT EXISTS {TABLES[kind]} ({columns})"


def _upsert_statement(kind: type) -> str:
    """Keeps the row's place, so that the order of first writing survives changes."""
    names = [column.name for column in fields(kind)]
    updates = ", ".join(f"{name}=excluded.{name}" for name in names)
    return (f"INSERT INTO {TABLES[kind]} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))}) "  # noqa: S608
            f"ON CONFLICT({KEYS[kind]}) DO UPDATE SET {updates}")


def _to_row(record: AnyRecord) -> tuple[Cell, ...]:
    return tuple(_to_cell(record.__dict__[column.name]) for column in fields(record))


def _to_cell(value: object) -> Cell:
    if value is None or isinstance(value, (int, float)):
        return value
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _from_cell(kind: object, cell: Cell) -> object:
    """Undo `_to_cell` by the declared type."""
    if cell is None:
        return None
    return next((read(str(cell)) for types, read in READERS if kind in types), cell)


READERS: Final[tuple[tuple[tuple[object, ...], Callable[[str], object]], ...]] = (
    ((datetime, datetime | None), datetime.fromisoformat),
    ((Decimal, Decimal | None), Decimal),
    ((OrderStatus,), OrderStatus),
    ((Action,), Action),
    ((OrderType,), OrderType),
    ((TimeInForce,), TimeInForce),
    ((bool,), lambda cell: cell == "1"),
)
