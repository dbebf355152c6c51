"""The book of one account among several, and what it is worth now. The executions say whose they are."""

from typing import TYPE_CHECKING

from trading.broker.simulated import account as accounting
from trading.broker.simulated.account import Statement
from trading.broker.simulated.orders import Book, Holding, book_of

if TYPE_CHECKING:
    from trading.broker.simulated.gateway import Gateway


def book_of_account(gateway: "Gateway", account: str) -> Book:
    """Of the only account it is the whole book."""
    if not gateway.settings.more_accounts:
        return gateway.book
    fills = [fill for fill in gateway.book.executions if fill.account == account]
    return book_of(gateway.book.contracts.values(), (), fills)


def statement_of(gateway: "Gateway", account: str) -> Statement:
    if not gateway.settings.more_accounts:
        return gateway.statement()
    return accounting.statement(book_of_account(gateway, account), gateway.settings.base_currency,
                                gateway.settings.starting_cash, lambda holding: _last_price(gateway, holding),
                                gateway.rate)


def _last_price(gateway: "Gateway", holding: Holding) -> float | None:
    contract = gateway.listing.by_id(holding.con_id)
    return None if contract is None else contract.prints.until(gateway.now()).last()
