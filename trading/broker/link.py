"""The workers' way to the broker: requests to the daemon, which owns the one connection. Synchronous."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pandas as pd

from trading.broker.facts import (
    BrokerBook,
    BrokerPosition,
    ContractDetails,
    OrderEvidence,
    Quote,
    QuoteChanges,
    SpreadContract,
)
from trading.broker.message_rows import messages_of
from trading.errors import BrokerError, BrokerUnavailable, NoPermission
from trading.execution.broker_messages import BrokerMessage
from trading.execution.quotes import Traded
from trading.objects.instruments import BrokerInstrument, CurrencyPair
from trading.objects.prices import BAR_COLUMNS
from trading.risk.margin_question import ANSWER_WITHIN_S, WhatIf
from trading.risk.snapshot import Margin
from trading.unix_socket import DaemonRefused, DaemonUnreachable, request

_KINDS: Final = {"BrokerUnavailable": BrokerUnavailable, "StoreError": BrokerUnavailable, "NoPermission": NoPermission}
_TIMEOUT_S: Final = 120.0  # longer than the daemon's own limit, so that its message arrives
_ON_THE_WAY_S: Final = 1.0


@dataclass(frozen=True)
class BrokerLink:
    """Every method raises BrokerUnavailable when nothing could be asked, BrokerError when the answer was no.

    Bars raise NoPermission, a BrokerError, when the account has not subscribed to them; no bars is an empty frame.
    """

    socket: Path

    def contracts(self, instrument: BrokerInstrument) -> list[ContractDetails]:
        """Every listed contract of `instrument`, nearest first."""
        rows = self._ask("GET", f"contracts/{instrument.code}")
        return [ContractDetails(**row | {"min_tick": Decimal(row["min_tick"])}) for row in rows]

    def bars(self, details: ContractDetails, duration: str, size: str) -> pd.DataFrame:
        """Bars of one contract: OPEN HIGH LOW FINAL VOLUME on a UTC index; empty when there are none."""
        rows = self._ask("POST", "bars", {"con_id": details.con_id, "exchange": details.exchange,
                                          "duration": duration, "size": size})
        return _frame(rows)

    def fx_bars(self, pair: CurrencyPair, duration: str) -> pd.DataFrame:
        """Daily bars of `pair`, the way we write it."""
        return _frame(self._ask("POST", "fx_bars", {"pair": pair.code, "duration": duration}))

    def quote(self, details: ContractDetails) -> Quote:
        return _quote(self._ask("POST", "quote", {"con_id": details.con_id, "exchange": details.exchange}))

    def spread_quote(self, spread: SpreadContract) -> Quote:
        """The market of the spread itself."""
        return _quote(self._ask("POST", "spread_quote", asdict(spread)))

    def quotes(self, contracts: Iterable[ContractDetails], after: int, wait_s: float) -> QuoteChanges:
        """What changed in `contracts` behind version `after` (0: all), as soon as something has, at most `wait_s`.

        Any number of workers may follow: a contract has one line at the broker, which closes when nobody asks.
        """
        wanted = [{"con_id": each.con_id, "exchange": each.exchange} for each in contracts]
        answer = self._ask("POST", "quotes", {"contracts": wanted, "after": after, "wait_s": wait_s})
        return QuoteChanges(version=answer["version"],
                            quotes={int(con_id): _quote(row) for con_id, row in answer["quotes"].items()})

    def margin_after(self, order: WhatIf) -> Margin | None:
        """What the account would need after `order`, by the broker; None when it does not say so within seconds."""
        limit = None if order.limit_price is None else str(order.limit_price)
        told = self._ask("POST", "margin", asdict(order) | {"limit_price": limit},
                         ANSWER_WITHIN_S + _ON_THE_WAY_S)["after"]
        return None if told is None else Margin(**told)

    def account_value(self) -> float:
        """What the account is worth, in the base currency."""
        return float(self._ask("GET", "account")["net_liquidation"])

    def positions(self) -> list[BrokerPosition]:
        return [BrokerPosition(**row) for row in self._ask("GET", "positions")]

    def submit(self, order_id: str) -> str:
        """Send the stored intent `order_id`, at most once in its life; its state afterwards."""
        return str(self._ask("POST", f"orders/{order_id}/submit")["lifecycle"])

    def change(self, order_id: str, limit: Decimal) -> str:
        """Ask for another price of a live order; its state afterwards."""
        return str(self._ask("POST", f"orders/{order_id}/change", {"limit": str(limit)})["lifecycle"])

    def cancel(self, order_id: str) -> None:
        """Ask the broker to cancel; the order lives until the broker says otherwise."""
        self._ask("POST", f"orders/{order_id}/cancel")

    def evidence(self, order_id: str) -> OrderEvidence:
        """Where the broker knows `order_id` from, after asking for everything."""
        return OrderEvidence(**self._ask("GET", f"orders/{order_id}/evidence"))

    def renew(self) -> None:
        """Have the daemon make its connection anew: only a new one shows which order ids the broker has ever seen."""
        self._ask("POST", "renew")

    def book(self) -> BrokerBook:
        """Everything that the broker lists of orders and executions, asked for now."""
        answer = self._ask("GET", "book")
        return BrokerBook(epoch=answer["epoch"], account=answer["account"],
                          messages=tuple(messages_of(answer["messages"])))

    def refresh(self) -> None:
        """Have the broker repeat all orders and executions of the day; they arrive in the journal."""
        self._ask("POST", "refresh")

    def messages(self, after: int, wait_s: float) -> list[BrokerMessage]:
        """What was journaled behind message `after`, in order, as soon as there is something, at most `wait_s`."""
        return messages_of(self._ask("POST", "messages", {"after": after, "wait_s": wait_s}))

    def _ask(self, method: str, resource: str, body: object = None, timeout_s: float = _TIMEOUT_S) -> Any:
        try:
            return request(self.socket, method, f"/broker/{resource}", body, timeout_s)
        except DaemonUnreachable as error:
            raise BrokerUnavailable(str(error)) from error
        except DaemonRefused as error:
            raise _KINDS.get(error.kind, BrokerError)(str(error)) from error


def _quote(row: dict[str, Any]) -> Quote:
    prices = {name: None if row[name] is None else Decimal(row[name]) for name in ("bid", "ask", "last")}
    return Quote(**prices, at=datetime.fromisoformat(row["at"]), traded=_traded(row["traded"]))


def _traded(row: dict[str, Any] | None) -> Traded | None:
    return None if row is None else Traded(lots=row["lots"], changed=datetime.fromisoformat(row["changed"]))


def _frame(rows: list[list[Any]]) -> pd.DataFrame:
    stamps = pd.to_datetime([row[0] for row in rows], unit="ms", utc=True).as_unit("ms")
    frame = pd.DataFrame([row[1:] for row in rows], columns=list(BAR_COLUMNS), dtype="float64")
    return frame.set_axis(pd.DatetimeIndex(stamps), axis=0)
