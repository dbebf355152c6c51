"""All orders and executions of the gateway, and what follows from them for each account. Pure.

Executions are the one source of truth: positions and cash are always the fold of all executions, so a restart
cannot lose or invent any. A book is changed only by `Book.apply`, and only after the changes are on disk.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from trading.broker.simulated.account_book import AccountBook
from trading.broker.simulated.listing import ContractFacts
from trading.broker.simulated.orders import Execution, Order

FIRST_PERM_ID: Final = 1_824_933_227


@dataclass(frozen=True, kw_only=True)
class Changes:
    """What one event does to the book: written to disk in one transaction, then applied."""

    orders: tuple[Order, ...] = ()
    executions: tuple[Execution, ...] = ()
    contracts: tuple[ContractFacts, ...] = ()


@dataclass
class Book:
    """All orders and executions, and the holdings and cash that follow from them."""

    orders: dict[int, Order] = field(default_factory=dict)
    executions: list[Execution] = field(default_factory=list)
    contracts: dict[int, ContractFacts] = field(default_factory=dict)
    accounts: dict[str, AccountBook] = field(default_factory=dict)
    fills_of: dict[int, list[Execution]] = field(default_factory=dict)
    _perm_ids: dict[tuple[int, int], int] = field(default_factory=dict)
    _highest_ids: dict[int, int] = field(default_factory=dict)

    def apply(self, changes: Changes) -> None:
        for facts in changes.contracts:
            self.contracts[facts.con_id] = facts
        for order in changes.orders:
            self._enter(order)
        for execution in changes.executions:
            self._book(execution)

    def order_of(self, client_id: int, order_id: int) -> Order | None:
        perm_id = self._perm_ids.get((client_id, order_id))
        return None if perm_id is None else self.orders[perm_id]

    def open_orders(self) -> list[Order]:
        return [order for order in self.orders.values() if order.status.is_open]

    def next_order_id(self, client_id: int) -> int:
        """Greater than every id that the client ever used; never goes back."""
        return self._highest_ids.get(client_id, 0) + 1

    def next_perm_id(self) -> int:
        return max(self.orders, default=FIRST_PERM_ID - 1) + 1

    def next_exec_id(self, part: int = 1) -> str:
        """`part` counts the rows of one fill: the combination, then its legs (ib_wire.md 2.8)."""
        return f"0000e0d5.{len(self.executions) + 1:08x}.{part:02d}.01"

    def account(self, name: str) -> AccountBook:
        """What the account `name` holds."""
        return self.accounts.get(name) or AccountBook(self.contracts)

    def _enter(self, order: Order) -> None:
        self.orders[order.perm_id] = order
        self._perm_ids[(order.client_id, order.order_id)] = order.perm_id
        self._highest_ids[order.client_id] = max(self._highest_ids.get(order.client_id, 0), order.order_id)

    def effective(self) -> list[Execution]:
        """The fills that count: of each its newest revision, in the order of the first ones."""
        newest: dict[str, Execution] = {}
        for fill in self.executions:
            known = newest.get(base_of(fill.exec_id))
            if known is None or revision_of(fill.exec_id) >= revision_of(known.exec_id):
                newest[base_of(fill.exec_id)] = fill
        return list(newest.values())

    def move_ids(self, by: int) -> None:
        """Order ids go on from further ahead, or from further back, as after some restarts of the real gateway.

        An id that is given again names the new order; the old one is known by its permanent id only.
        """
        for client, highest in self._highest_ids.items():
            self._highest_ids[client] = max(0, highest + by)
        self._perm_ids = {key: perm_id for key, perm_id in self._perm_ids.items()
                          if key[1] <= self._highest_ids[key[0]]}

    def _book(self, execution: Execution) -> None:
        self.executions.append(execution)
        if revision_of(execution.exec_id) > 1:
            self._fold_again()
        else:
            self._fold(execution)

    def _fold_again(self) -> None:
        """A correction changes the past; averages cannot be undone, so everything is added up anew."""
        self.accounts.clear()
        self.fills_of.clear()
        for fill in self.effective():
            self._fold(fill)

    def _fold(self, fill: Execution) -> None:
        self.fills_of.setdefault(fill.con_id, []).append(fill)
        self.accounts.setdefault(fill.account, AccountBook(self.contracts)).fold(fill)


def base_of(exec_id: str) -> str:
    """What all revisions of one fill have in common."""
    return exec_id.rpartition(".")[0]


def revision_of(exec_id: str) -> int:
    return int(exec_id.rpartition(".")[2])


def book_of(contracts: Iterable[ContractFacts], orders: Iterable[Order], executions: Iterable[Execution]) -> Book:
    """The book that a history leads to."""
    book = Book()
    book.apply(Changes(contracts=tuple(contracts), orders=tuple(orders), executions=tuple(executions)))
    return book
