"""Answers about contracts, quotes and bars. Each tells one session what the record knows at this moment."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from trading.broker.simulated import bars, hours, responses
from trading.broker.simulated.bars import Bar, BarRequestError
from trading.broker.simulated.gateway import Gateway
from trading.broker.simulated.lines import HistoryLine, Line
from trading.broker.simulated.listing import FUTURE, ContractQuery, ListedContract
from trading.broker.simulated.quotes import opening_ticks, update_ticks
from trading.broker.simulated.recorded_market import Prints, instant_of
from trading.broker.simulated.refusals import VALIDATION, Refusal
from trading.broker.simulated.requests import (
    CancelHeadTimestamp,
    CancelHistoricalData,
    CancelMarketData,
    RequestContractDetails,
    RequestHeadTimestamp,
    RequestHistoricalData,
    RequestMarketData,
    RequestMarketRule,
    SetMarketDataType,
)

if TYPE_CHECKING:
    from trading.broker.simulated.session import Session

LINES: Final = 100
NOT_FOUND: Final = Refusal(200, "No security definition has been found for the request")
NO_SEC_TYPE: Final = Refusal(321, f"{VALIDATION}Please enter a valid security type")


def contract_details(gateway: Gateway, session: "Session", request: RequestContractDetails) -> None:
    if not (request.contract.con_id or request.contract.sec_type):
        session.refuse(request.req_id, NO_SEC_TYPE)
        return
    now = gateway.now()
    found = gateway.listing.find(request.contract, now, include_expired=request.include_expired)
    if not found:
        session.refuse(request.req_id, NOT_FOUND)
        return
    session.send(*(responses.contract_details(request.req_id, contract, now, gateway.zone, session.version)
                   for contract in found), responses.end("52", str(request.req_id)))


def market_rule(_gateway: Gateway, session: "Session", request: RequestMarketRule) -> None:
    session.send(responses.market_rule(request.rule_id))


def market_data(gateway: Gateway, session: "Session", request: RequestMarketData) -> None:
    contract = _the_one(gateway, request.contract, include_expired=False)
    refusal = contract if isinstance(contract, Refusal) else _line_refusal(session, request)
    if isinstance(contract, Refusal) or refusal is not None:
        session.refuse(request.req_id, refusal or NOT_FOUND)
        return
    now = gateway.now()
    session.send(*opening_ticks(request.req_id, contract, now, gateway.zone))
    if request.snapshot:
        session.send(responses.snapshot_end(request.req_id))
    else:
        session.lines[request.req_id] = Line(contract, len(contract.prints.until(now)))


def cancel_market_data(_gateway: Gateway, session: "Session", request: CancelMarketData) -> None:
    if session.lines.pop(request.req_id, None) is None:
        session.refuse(request.req_id, Refusal(300, f"Can't find EId with tickerId:{request.req_id}"))


def historical_data(gateway: Gateway, session: "Session", request: RequestHistoricalData) -> None:
    try:
        contract, start, until, found = _bars_of(gateway, session.version, request)
    except BarRequestError as error:
        session.refuse(request.req_id, Refusal(error.code or 321, str(error)))
        return
    stretch = [hours.stamp(instant, gateway.zone, session.version) for instant in (start, until)]
    session.send(responses.historical_data(request.req_id, found, *stretch))
    if request.keep_up_to_date:
        session.histories[request.req_id] = HistoryLine(request, contract, len(contract.prints.until(until)))


def cancel_historical_data(_gateway: Gateway, session: "Session", request: CancelHistoricalData) -> None:
    if session.histories.pop(request.req_id, None) is None:
        session.refuse(request.req_id, Refusal(366, f"No historical data query found for ticker id:{request.req_id}"))


def head_timestamp(gateway: Gateway, session: "Session", request: RequestHeadTimestamp) -> None:
    contract = _the_one(gateway, request.contract, include_expired=request.include_expired)
    if isinstance(contract, Refusal):
        session.refuse(request.req_id, contract)
        return
    prints = contract.prints.until(gateway.now())
    if not len(prints):
        session.refuse(request.req_id, _no_data(contract, request.what_to_show))
        return
    stamp = _stamper(gateway, session.version, request.format_date)
    session.send(responses.head_timestamp(request.req_id, stamp(instant_of(int(prints.times[0])))))


def stream(gateway: Gateway, session: "Session") -> None:
    """Tell the lines of a session what was printed since they last heard."""
    now = gateway.now()
    for req_id, line in session.lines.items():
        seen = len(line.contract.prints.until(now))
        if seen > line.told:
            line.told = seen
            session.send(*update_ticks(req_id, line.contract, now, gateway.zone))
    for history in session.histories.values():
        _update_history(gateway, session, history, now)


def _update_history(gateway: Gateway, session: "Session", history: HistoryLine, now: datetime) -> None:
    seen = len(history.contract.prints.until(now))
    if seen > history.told:
        history.told = seen
        _, _, _, found = _bars_of(gateway, session.version, history.request)
        session.send(responses.historical_update(history.request.req_id, found[-1]))


def _bars_of(gateway: Gateway, version: int,
             request: RequestHistoricalData) -> tuple[ListedContract, datetime, datetime, list[Bar]]:
    """Raises BarRequestError with the code for the client; an empty answer is an error too."""
    contract = _the_one(gateway, request.contract, include_expired=request.include_expired)
    if isinstance(contract, Refusal):
        raise BarRequestError(contract.code, contract.text)
    size = bars.bar_size(request.bar_size)
    end = _end_of(gateway, request)
    start = bars.start_of(request.duration, end, gateway.zone)
    prints = bars.shown(contract, contract.prints.since(start).until(min(end, gateway.now())), request.what_to_show)
    found = _make(gateway, version, request, prints, size)
    if not found:
        refusal = _no_data(contract, request.what_to_show)
        raise BarRequestError(refusal.code, refusal.text)
    return contract, start, end, found


def _make(gateway: Gateway, version: int, request: RequestHistoricalData, prints: Prints,
          size: timedelta) -> list[Bar]:
    stamp = _stamper(gateway, version, request.format_date)
    return bars.make_bars(prints, size, gateway.zone, stamp, traded=request.what_to_show == "TRADES")


def _end_of(gateway: Gateway, request: RequestHistoricalData) -> datetime:
    if request.keep_up_to_date and request.end:
        raise BarRequestError(321, f"{VALIDATION}End date not supported with keepUpToDate")
    return bars.parse_end(request.end, gateway.now(), gateway.zone)


def _stamper(gateway: Gateway, version: int, format_date: int) -> Callable[[datetime], str]:
    if format_date == 2:
        return lambda instant: str(int(instant.timestamp()))
    return lambda instant: hours.stamp(instant, gateway.zone, version)


def _the_one(gateway: Gateway, query: ContractQuery, *, include_expired: bool) -> ListedContract | Refusal:
    """The contract that `query` names, or why there is not exactly one."""
    if not (query.con_id or query.sec_type):
        return NO_SEC_TYPE
    found = gateway.listing.find(query, gateway.now(), include_expired=include_expired)
    if len(found) > 1:
        return Refusal(200, f"The contract description specified for {query.symbol} is ambiguous.")
    return found[0] if found else NOT_FOUND


def _line_refusal(session: "Session", request: RequestMarketData) -> Refusal | None:
    if request.req_id in session.lines:
        return Refusal(102, "Duplicate ticker id")
    if len(session.lines) >= LINES and not request.snapshot:
        return Refusal(101, "Max number of tickers has been reached")
    return None


def _no_data(contract: ListedContract, what: str) -> Refusal:
    facts = contract.facts
    name = facts.local_symbol if facts.sec_type == FUTURE else f"{facts.symbol}.{facts.currency}"
    return Refusal(162, f"Historical Market Data Service error message:HMDS query returned no data: "
                        f"{name}@{facts.exchange} {what.capitalize()}")


def _no_answer(_gateway: Gateway, _session: "Session", _request: SetMarketDataType | CancelHeadTimestamp) -> None:
    """The real gateway says nothing either."""


ANSWERS: Final[Mapping[Any, Callable[[Gateway, "Session", Any], None]]] = {
    RequestContractDetails: contract_details,
    RequestMarketRule: market_rule,
    RequestMarketData: market_data,
    CancelMarketData: cancel_market_data,
    RequestHistoricalData: historical_data,
    CancelHistoricalData: cancel_historical_data,
    RequestHeadTimestamp: head_timestamp,
    CancelHeadTimestamp: _no_answer,
    SetMarketDataType: _no_answer,
}
