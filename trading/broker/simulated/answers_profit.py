"""Answers about profit and loss, once a second as long as it changes. In the base currency."""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from trading.broker.simulated import hours, responses
from trading.broker.simulated.account_book import AccountBook
from trading.broker.simulated.data_requests import (
    CancelProfit,
    CancelSingleProfit,
    RequestProfit,
    RequestSingleProfit,
)
from trading.broker.simulated.gateway import Gateway
from trading.broker.simulated.lines import ProfitLine
from trading.broker.simulated.listing import FUTURE
from trading.broker.simulated.profit import Profit, profit
from trading.broker.simulated.refusals import VALIDATION, Refusal
from trading.broker.simulated.responses import Message

if TYPE_CHECKING:
    from trading.broker.simulated.session import Session


def whole_profit(gateway: Gateway, session: "Session", request: RequestProfit) -> None:
    _begin(gateway, session, request, None)


def single_profit(gateway: Gateway, session: "Session", request: RequestSingleProfit) -> None:
    _begin(gateway, session, request, request.con_id)


def _begin(gateway: Gateway, session: "Session", request: RequestProfit | RequestSingleProfit,
           con_id: int | None) -> None:
    if request.account not in gateway.settings.accounts:
        session.refuse(request.req_id, Refusal(321, f"{VALIDATION}Invalid account code '{request.account}'"))
    elif request.req_id in session.streams.profits:
        session.refuse(request.req_id, Refusal(102, "Duplicate ticker id"))
    else:
        session.streams.profits[request.req_id] = ProfitLine(request.account, con_id)
        stream(gateway, session)


def cancel_profit(_gateway: Gateway, session: "Session", request: CancelProfit | CancelSingleProfit) -> None:
    if session.streams.profits.pop(request.req_id, None) is None:
        session.refuse(request.req_id, Refusal(300, f"Can't find EId with tickerId:{request.req_id}"))


def stream(gateway: Gateway, session: "Session") -> None:
    for req_id, line in session.streams.profits.items():
        book = gateway.book.account(line.account)
        message = _whole(gateway, req_id, book) if line.con_id is None else _single(gateway, req_id, book, line.con_id)
        if message != line.told:
            line.told = message
            session.send(message)


def _whole(gateway: Gateway, req_id: int, book: AccountBook) -> Message:
    parts = [(_profit_of(gateway, book, con_id), gateway.rate(book.contracts[con_id].currency))
             for con_id, facts in book.contracts.items() if facts.sec_type == FUTURE]
    sums = (_sum((each.daily, rate) for each, rate in parts), _sum((each.unrealised, rate) for each, rate in parts),
            _sum((each.realised, rate) for each, rate in parts if each.realised is not None))
    realised_today = any(each.realised is not None for each, _ in parts)
    return ("94", str(req_id), _text(sums[0]), _text(sums[1]), _text(sums[2] if realised_today else None))


def _single(gateway: Gateway, req_id: int, book: AccountBook, con_id: int) -> Message:
    facts = book.contracts.get(con_id)
    if facts is None:
        return ("95", str(req_id), "0", *[responses.UNSET_DOUBLE] * 4)
    each, rate = _profit_of(gateway, book, con_id), gateway.rate(facts.currency)
    return ("95", str(req_id), str(each.position),
            *(_text(None if amount is None else amount * rate)
              for amount in (each.daily, each.unrealised, each.realised, each.value)))


def _profit_of(gateway: Gateway, book: AccountBook, con_id: int) -> Profit:
    now = gateway.now()
    midnight = hours.midnight(hours.local_date(now, gateway.zone), gateway.zone)
    contract = gateway.listing.by_id(con_id)
    prices = (None, None) if contract is None else (contract.prints.until(midnight).last(),
                                                    contract.prints.until(now).last())
    return profit(book.contracts[con_id], book.fills_of.get(con_id, ()), midnight, *prices)


def _sum(amounts: Iterable[tuple[float | None, float]]) -> float | None:
    """Unknown as soon as one part is."""
    known = list(amounts)
    if any(amount is None for amount, _ in known):
        return None
    return sum(amount * rate for amount, rate in known if amount is not None)


def _text(amount: float | None) -> str:
    return responses.UNSET_DOUBLE if amount is None else responses.number(round(amount, 6))


ANSWERS: Final[Mapping[Any, Callable[[Gateway, "Session", Any], None]]] = {
    RequestProfit: whole_profit,
    CancelProfit: cancel_profit,
    RequestSingleProfit: single_profit,
    CancelSingleProfit: cancel_profit,
}
