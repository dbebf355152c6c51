"""What the account is worth, as a list of keys and values. Pure.

Net liquidation = starting cash + all money that fills moved + what the open futures are worth at the last
recorded price, each currency at its last recorded rate.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from trading.broker.simulated.account_book import AccountBook
from trading.broker.simulated.listing import ContractFacts
from trading.broker.simulated.orders import Holding

MARGIN: Final = 0.1  # of the gross value; a plausible figure, no model of any exchange


@dataclass(frozen=True)
class AccountValue:
    """One line of the account window; the currency is empty for facts, BASE for sums over currencies."""

    key: str
    value: str
    currency: str = ""


@dataclass(frozen=True, kw_only=True)
class MarkedPosition:
    """A holding at a price; money in the contract's currency."""

    facts: ContractFacts
    holding: Holding
    price: float

    @property
    def value(self) -> float:
        return self.holding.quantity * self.price * self.facts.point_value

    @property
    def unrealised(self) -> float:
        return self.value - self.holding.cost


@dataclass(frozen=True, kw_only=True)
class Statement:
    """The account at one moment; sums are in the base currency."""

    base: str
    cash: dict[str, float]
    rates: dict[str, float]
    positions: tuple[MarkedPosition, ...]
    realised: dict[str, float]

    @property
    def total_cash(self) -> float:
        return sum(amount * self.rates[currency] for currency, amount in self.cash.items())

    @property
    def unrealised(self) -> float:
        return sum(marked.unrealised * self.rates[marked.facts.currency] for marked in self.positions)

    @property
    def realised_total(self) -> float:
        return sum(amount * self.rates[currency] for currency, amount in self.realised.items())

    @property
    def gross_value(self) -> float:
        return sum(abs(marked.value) * self.rates[marked.facts.currency] for marked in self.positions)

    @property
    def net_liquidation(self) -> float:
        return self.total_cash + self.unrealised

    @property
    def margin(self) -> float:
        return self.gross_value * MARGIN

    @property
    def available_funds(self) -> float:
        return self.net_liquidation - self.margin


def statement(book: AccountBook, base: str, starting_cash: float, price_of: Callable[[Holding], float | None],
              rate_of: Callable[[str], float]) -> Statement:
    """Mark the book. A holding without any recorded price is carried at its cost."""
    cash = book.cash()
    cash[base] = cash.get(base, 0.0) + starting_cash
    positions = tuple(_marked(book, holding, price_of(holding)) for holding in book.open_holdings())
    realised = _realised(book)
    currencies = {*cash, *realised, *(marked.facts.currency for marked in positions)}
    return Statement(base=base, cash=cash, rates={currency: rate_of(currency) for currency in sorted(currencies)},
                     positions=positions, realised=realised)


def _marked(book: AccountBook, holding: Holding, price: float | None) -> MarkedPosition:
    facts = book.contracts[holding.con_id]
    at_cost = holding.average_cost / facts.point_value
    return MarkedPosition(facts=facts, holding=holding, price=at_cost if price is None else price)


def _realised(book: AccountBook) -> dict[str, float]:
    realised: dict[str, float] = {}
    for holding in book.holdings.values():
        currency = book.contracts[holding.con_id].currency
        realised[currency] = realised.get(currency, 0.0) + holding.realised
    return realised


def account_values(account: str, statement: Statement) -> list[AccountValue]:
    """All lines of reqAccountUpdates."""
    return [AccountValue("AccountCode", account), AccountValue("AccountReady", "true"),
            AccountValue("AccountType", "INDIVIDUAL"), *_totals(statement), *_ledger(statement)]


def summary_values(statement: Statement, tags: Iterable[str]) -> list[AccountValue]:
    """The lines that a summary request asks for; $LEDGER tags bring the cash of every currency."""
    wanted = set(tags)
    lines = [AccountValue("AccountType", "INDIVIDUAL"), *_totals(statement)]
    ledger = any(tag.startswith("$LEDGER") for tag in wanted)
    return [line for line in lines if line.key in wanted] + (_ledger(statement) if ledger else [])


def _totals(statement: Statement) -> list[AccountValue]:
    net, cash, margin = statement.net_liquidation, statement.total_cash, statement.margin
    free = statement.available_funds
    amounts = {
        "NetLiquidation": net, "TotalCashValue": cash, "SettledCash": cash, "AccruedCash": 0.0,
        "BuyingPower": free / MARGIN, "EquityWithLoanValue": net,
        "GrossPositionValue": 0.0,  # futures do not count
        "InitMarginReq": margin, "MaintMarginReq": margin, "FullInitMarginReq": margin, "FullMaintMarginReq": margin,
        "AvailableFunds": free, "ExcessLiquidity": free, "FullAvailableFunds": free,
        "FullExcessLiquidity": free, "UnrealizedPnL": statement.unrealised,
        "RealizedPnL": statement.realised_total,
    }
    return [AccountValue(key, _money(amount), statement.base) for key, amount in amounts.items()]


def _ledger(statement: Statement) -> list[AccountValue]:
    """Cash, profit and rate of each currency, then BASE with the sums."""
    base = _ledger_lines("BASE", statement.total_cash, statement.unrealised, statement.realised_total, 1.0)
    return [line for currency in statement.rates for line in _currency_lines(statement, currency)] + base


def _currency_lines(statement: Statement, currency: str) -> list[AccountValue]:
    unrealised = sum(marked.unrealised for marked in statement.positions if marked.facts.currency == currency)
    return _ledger_lines(currency, statement.cash.get(currency, 0.0), unrealised,
                         statement.realised.get(currency, 0.0), statement.rates[currency])


def _ledger_lines(currency: str, cash: float, unrealised: float, realised: float, rate: float) -> list[AccountValue]:
    amounts = {"CashBalance": cash, "TotalCashBalance": cash, "FuturesPNL": unrealised, "UnrealizedPnL": unrealised,
               "RealizedPnL": realised, "NetLiquidationByCurrency": cash + unrealised}
    lines = [AccountValue(key, f"{amount:.4f}", currency) for key, amount in amounts.items()]
    return [*lines, AccountValue("ExchangeRate", f"{rate:.8f}", currency)]


def _money(amount: float) -> str:
    return f"{amount:.2f}"
