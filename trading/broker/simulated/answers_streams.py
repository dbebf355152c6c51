"""Answers that go on: market depth and bars of five seconds."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from trading.broker.simulated import bars, responses
from trading.broker.simulated.asked_contract import asked, kind_shown, passing
from trading.broker.simulated.data_requests import (
    CancelDepth,
    CancelRealTimeBars,
    RequestDepth,
    RequestDepthExchanges,
    RequestRealTimeBars,
)
from trading.broker.simulated.depth import BookChange, BookSide, book, changes
from trading.broker.simulated.gateway import Gateway
from trading.broker.simulated.history_pacing import PacedRequest
from trading.broker.simulated.lines import BarLine, DepthLine
from trading.broker.simulated.listing import BAG, ListedContract
from trading.broker.simulated.permissions import NOT_SUBSCRIBED, DataKind, Pacing
from trading.broker.simulated.refusals import VALIDATION, Refusal
from trading.broker.simulated.responses import Message

if TYPE_CHECKING:
    from trading.broker.simulated.session import Session

BAR_S: Final = 5
MOST_BARS: Final = 60  # that are sent at once when time has jumped
SHOWN: Final = ("TRADES", "MIDPOINT", "BID", "ASK")


def depth(gateway: Gateway, session: "Session", request: RequestDepth) -> None:
    contract = passing(asked(gateway, request.contract), lambda found: _depth_refusal(gateway, session, request, found))
    if isinstance(contract, Refusal):
        session.refuse(request.req_id, contract)
        return
    line = session.streams.depths[request.req_id] = DepthLine(contract, request.rows, request.is_smart)
    session.send(*_depth_news(gateway, request.req_id, line))


def _depth_refusal(gateway: Gateway, session: "Session", request: RequestDepth,
                   contract: ListedContract) -> Refusal | None:
    if request.rows < 1:
        return Refusal(321, f"{VALIDATION}Number of market depth rows must be at least 1")
    if contract.facts.sec_type == BAG:
        return Refusal(10092, "Deep market data is not supported for this combination of security type/exchange")
    if request.req_id in session.streams.depths:
        return Refusal(102, "Duplicate ticker id")
    if kind_shown(gateway, session, contract) not in (DataKind.LIVE, DataKind.FROZEN):
        return NOT_SUBSCRIBED
    limit = gateway.settings.limits.depths
    taken = sum(len(each.streams.depths) for each in gateway.sessions.values())
    return Refusal(309, f"Max number ({limit}) of market depth requests has been reached") if taken >= limit else None


def cancel_depth(_gateway: Gateway, session: "Session", request: CancelDepth) -> None:
    if session.streams.depths.pop(request.req_id, None) is None:
        session.refuse(request.req_id, Refusal(310, f"Can't find the subscribed market depth with tickerId:"
                                                    f"{request.req_id}"))


def depth_exchanges(gateway: Gateway, session: "Session", _request: RequestDepthExchanges) -> None:
    """Every exchange that lists something, once for each kind of contract there."""
    places = sorted({(each.facts.exchange, each.facts.sec_type) for each in gateway.listing.every()})
    session.send(("80", str(len(places)), *(text for exchange, sec_type in places
                                            for text in (exchange, sec_type, "", "Deep", responses.UNSET_INTEGER))))


def real_time_bars(gateway: Gateway, session: "Session", request: RequestRealTimeBars) -> None:
    contract = passing(asked(gateway, request.contract), lambda found: _bars_refusal(gateway, session, request, found))
    if isinstance(contract, Refusal):
        session.refuse(request.req_id, contract)
        return
    session.streams.bars[request.req_id] = BarLine(contract, request.what_to_show, _boundary(gateway.now()))


def _bars_refusal(gateway: Gateway, session: "Session", request: RequestRealTimeBars,
                  contract: ListedContract) -> Refusal | None:
    facts = contract.facts
    if request.what_to_show not in SHOWN:
        return Refusal(321, f"{VALIDATION}Invalid whatToShow '{request.what_to_show}'. Allowed: {', '.join(SHOWN)}")
    if request.req_id in session.streams.bars:
        return Refusal(102, "Duplicate ticker id")
    shown = kind_shown(gateway, session, contract)
    if shown not in (DataKind.LIVE, DataKind.FROZEN):
        return Refusal(420, f"Invalid Real-time Query:No market data permissions for {facts.exchange} {facts.sec_type}")
    try:
        bars.shown(contract, contract.prints.until(gateway.now()), request.what_to_show)
    except bars.BarRequestError:
        return Refusal(420, f"Invalid Real-time Query:No {request.what_to_show.lower()} of {facts.sec_type}")
    if gateway.settings.limits.pacing is Pacing.OFF:
        return None
    name = (str(facts.con_id), facts.exchange, request.what_to_show)
    paced = PacedRequest(whole=("real time", *name, str(session.client_id)), contract=name,
                         at_s=gateway.clock.monotonic_s())
    return None if gateway.history_pacing.takes(paced) else Refusal(
        420, "Invalid Real-time Query:Historical data request pacing violation")


def cancel_real_time_bars(_gateway: Gateway, session: "Session", request: CancelRealTimeBars) -> None:
    if session.streams.bars.pop(request.req_id, None) is None:
        session.refuse(request.req_id, Refusal(300, f"Can't find EId with tickerId:{request.req_id}"))


def stream(gateway: Gateway, session: "Session") -> None:
    for req_id, line in session.streams.depths.items():
        session.send(*_depth_news(gateway, req_id, line))
    for req_id, bar_line in session.streams.bars.items():
        session.send(*_bar_news(gateway, req_id, bar_line))


def _depth_news(gateway: Gateway, req_id: int, line: DepthLine) -> Iterator[Message]:
    bids, asks = book(line.contract, line.contract.prints.until(gateway.now()).last(), line.rows)
    for change in (*changes(line.bids, bids, BookSide.BID), *changes(line.asks, asks, BookSide.ASK)):
        yield _depth_message(req_id, line, change)
    line.bids, line.asks = bids, asks


def _depth_message(req_id: int, line: DepthLine, change: BookChange) -> Message:
    head, tail = ("1", str(req_id), str(change.position)), (str(change.operation), str(change.side), *change.row)
    if not line.is_smart:
        return ("12", *head, *tail)
    return ("13", *head, line.contract.facts.exchange, *tail, "1")


def _bar_news(gateway: Gateway, req_id: int, line: BarLine) -> Iterator[Message]:
    """A bar for every five seconds that are over; one without prints repeats the last price, with no volume."""
    end, step = _boundary(gateway.now()), timedelta(seconds=BAR_S)
    start = max(line.told_until, end - MOST_BARS * step)
    line.told_until = end
    while start < end:
        message = _bar_message(req_id, line, start)
        if message is not None:
            yield message
        start += step


def _bar_message(req_id: int, line: BarLine, start: datetime) -> Message | None:
    known = line.contract.prints.until(start + timedelta(seconds=BAR_S) - timedelta(microseconds=1))
    inside = bars.shown(line.contract, known.since(start), line.what_to_show)
    last = known.last()
    if last is None:
        return None
    if line.what_to_show in ("BID", "ASK"):
        touch = line.contract.touch(last)
        last = float(touch.bid if line.what_to_show == "BID" else touch.ask)
    traded = line.what_to_show == bars.TRADES
    prices = [float(price) for price in inside.prices] or [last]
    volume = str(len(inside)) if traded else str(bars.NOT_TRADED)
    average = responses.number(round(sum(prices) / len(prices), 8)) if traded else str(bars.NOT_TRADED)
    return ("50", "3", str(req_id), str(int(start.timestamp())), responses.number(prices[0]),
            responses.number(max(prices)), responses.number(min(prices)), responses.number(prices[-1]), volume,
            average, volume)


def _boundary(instant: datetime) -> datetime:
    return instant - timedelta(seconds=instant.timestamp() % BAR_S)


ANSWERS: Final[Mapping[Any, Callable[[Gateway, "Session", Any], None]]] = {
    RequestDepth: depth,
    CancelDepth: cancel_depth,
    RequestDepthExchanges: depth_exchanges,
    RequestRealTimeBars: real_time_bars,
    CancelRealTimeBars: cancel_real_time_bars,
}
