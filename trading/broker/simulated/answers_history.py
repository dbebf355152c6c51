"""Answers about the past in bars: historical data once or kept up to date, schedules and head time stamps."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from trading.broker.simulated import bars, hours, responses
from trading.broker.simulated.asked_contract import asked, kind_shown
from trading.broker.simulated.bars import Bar, BarForm, BarRequestError
from trading.broker.simulated.gateway import Gateway
from trading.broker.simulated.history_pacing import PacedRequest
from trading.broker.simulated.lines import HistoryLine
from trading.broker.simulated.listing import FUTURE, ListedContract
from trading.broker.simulated.permissions import Pacing
from trading.broker.simulated.recorded_market import Prints, instant_of
from trading.broker.simulated.refusals import VALIDATION, Refusal
from trading.broker.simulated.requests import (
    CancelHeadTimestamp,
    CancelHistoricalData,
    RequestHeadTimestamp,
    RequestHistoricalData,
)

if TYPE_CHECKING:
    from trading.broker.simulated.session import Session

SCHEDULE: Final = "SCHEDULE"
SERVICE: Final = "Historical Market Data Service error message:"
PACED: Final = Refusal(162, f"{SERVICE}Historical data request pacing violation")


def historical_data(gateway: Gateway, session: "Session", request: RequestHistoricalData) -> None:
    try:
        _answer(gateway, session, request)
    except BarRequestError as error:
        session.refuse(request.req_id, Refusal(error.code or 321, str(error)))


def _answer(gateway: Gateway, session: "Session", request: RequestHistoricalData) -> None:
    contract = _contract_of(gateway, session, request)
    if request.what_to_show == SCHEDULE:
        _send_schedule(gateway, session, request, contract)
        return
    end = _end_of(gateway, request)
    start = bars.start_of(request.duration, end, gateway.zone)
    bars.check_step(request.duration, bars.bar_size(request.bar_size))
    found = _bars_between(gateway, session, HistoryLine(request, contract, 0), (start, end))
    if not found:
        raise _no_data_error(contract, request.what_to_show)
    first, last = (gateway.stamps.text(instant, session.version) for instant in (start, end))
    session.send(*responses.historical_data(request.req_id, found, first, last, session.version))
    if request.keep_up_to_date:
        session.histories[request.req_id] = HistoryLine(request, contract, len(contract.prints.until(end)))


def _contract_of(gateway: Gateway, session: "Session", request: RequestHistoricalData) -> ListedContract:
    """The contract whose bars this request may have now."""
    if request.req_id in session.histories:
        raise BarRequestError(386, "Duplicate ticker ID for API historical data query")
    contract = asked(gateway, request.contract, request.legs, include_expired=request.include_expired)
    refusal = contract if isinstance(contract, Refusal) else kind_shown(gateway, session, contract)
    if isinstance(contract, Refusal) or isinstance(refusal, Refusal):
        raise _as_error(contract if isinstance(contract, Refusal) else _no_permission(contract))
    if not _is_paced(gateway, request, contract):
        raise _as_error(PACED)
    return contract


def _is_paced(gateway: Gateway, request: RequestHistoricalData, contract: ListedContract) -> bool:
    pacing = gateway.settings.limits.pacing
    is_small = request.bar_size in bars.SMALL_BARS
    if pacing is Pacing.OFF or (pacing is Pacing.SMALL_BARS and not is_small):
        return True
    name = (str(contract.facts.con_id), contract.facts.exchange, request.what_to_show)
    whole = (*name, request.end, request.bar_size, request.duration, str(request.only_liquid),
             str(request.format_date))
    return gateway.history_pacing.takes(PacedRequest(whole=whole, contract=name, at_s=gateway.clock.monotonic_s(),
                                                     weight=2 if request.what_to_show == bars.BID_ASK else 1))


def _bars_between(gateway: Gateway, session: "Session", history: HistoryLine,
                  stretch: tuple[datetime, datetime]) -> list[Bar]:
    request, contract = history.request, history.contract
    prints = contract.prints.since(stretch[0]).until(min(stretch[1], gateway.now()))
    if request.only_liquid:
        prints = _liquid(gateway, contract, prints)
    stamp = _stamper(gateway, session.version, request.format_date)
    form = BarForm(bars.bar_size(request.bar_size), gateway.zone, stamp)
    return bars.bars_of(contract, prints, request.what_to_show, form)


def _liquid(gateway: Gateway, contract: ListedContract, prints: Prints) -> Prints:
    """Only prints in liquid hours; where all hours are, nothing is looked at one by one."""
    opening = gateway.settings.timetable.of(contract.facts.exchange)
    if opening.liquid == opening.trading:
        return prints
    inside = [opening.is_open(instant_of(int(stamp)), only_liquid=True) for stamp in prints.times]
    return Prints(prints.times[inside], prints.prices[inside])


def _send_schedule(gateway: Gateway, session: "Session", request: RequestHistoricalData,
                   contract: ListedContract) -> None:
    """The sessions of the stretch; only the bar size of a day is allowed."""
    if bars.bar_size(request.bar_size) != bars.DAY:
        raise BarRequestError(321, f"{VALIDATION}Bar size for SCHEDULE must be 1 day")
    opening = gateway.settings.timetable.of(contract.facts.exchange)
    end = _end_of(gateway, request)
    first, last = (instant.astimezone(opening.tz).date()
                   for instant in (bars.start_of(request.duration, end, gateway.zone), end))
    sessions = [(_dashed(each.opens.astimezone(opening.tz)), _dashed(each.closes.astimezone(opening.tz)),
                 f"{each.day:%Y%m%d}") for each in opening.sessions(first, last, only_liquid=request.only_liquid)]
    if not sessions:
        raise _no_data_error(contract, SCHEDULE)
    session.send(("106", str(request.req_id), sessions[0][0], sessions[-1][1], opening.zone, str(len(sessions)),
                  *(text for each in sessions for text in each)))


def _dashed(local: datetime) -> str:
    return f"{local:%Y%m%d-%H:%M:%S}"


def cancel_historical_data(_gateway: Gateway, session: "Session", request: CancelHistoricalData) -> None:
    if session.histories.pop(request.req_id, None) is None:
        problem = Refusal(366, f"No historical data query found for ticker id:{request.req_id}")
    else:
        problem = Refusal(162, f"{SERVICE}API historical data query cancelled: {request.req_id}")
    session.refuse(request.req_id, problem)


def head_timestamp(gateway: Gateway, session: "Session", request: RequestHeadTimestamp) -> None:
    contract = asked(gateway, request.contract, include_expired=request.include_expired)
    if isinstance(contract, Refusal):
        session.refuse(request.req_id, contract)
        return
    prints = contract.prints.until(gateway.now())
    if not len(prints):
        session.refuse(request.req_id, no_data(contract, request.what_to_show))
        return
    stamp = _stamper(gateway, session.version, request.format_date)
    session.send(responses.head_timestamp(request.req_id, stamp(instant_of(int(prints.times[0])))))


def stream(gateway: Gateway, session: "Session") -> None:
    """The newest bar again to those who keep theirs up to date."""
    for history in session.histories.values():
        seen = len(history.contract.prints.until(gateway.now()))
        if seen > history.told:
            history.told = seen
            _send_newest(gateway, session, history)


def _send_newest(gateway: Gateway, session: "Session", history: HistoryLine) -> None:
    end = gateway.now()
    start = bars.start_of(history.request.duration, end, gateway.zone)
    found = _bars_between(gateway, session, history, (start, end))
    if found:
        session.send(responses.historical_update(history.request.req_id, found[-1]))


def _end_of(gateway: Gateway, request: RequestHistoricalData) -> datetime:
    if request.keep_up_to_date and request.end:
        raise BarRequestError(321, f"{VALIDATION}End date not supported with keepUpToDate")
    return bars.parse_end(request.end, gateway.now(), gateway.zone)


def _stamper(gateway: Gateway, version: int, format_date: int) -> Callable[[datetime], str]:
    if format_date == 2:
        return lambda instant: str(int(instant.timestamp()))
    return lambda instant: hours.stamp(instant, gateway.zone, version)


def no_data(contract: ListedContract, what: str) -> Refusal:
    facts = contract.facts
    name = facts.local_symbol if facts.sec_type == FUTURE else f"{facts.symbol}.{facts.currency}"
    return Refusal(162, f"{SERVICE}HMDS query returned no data: {name}@{facts.exchange} {what.capitalize()}")


def _no_permission(contract: ListedContract) -> Refusal:
    facts = contract.facts
    return Refusal(162, f"{SERVICE}No market data permissions for {facts.exchange} {facts.sec_type}")


def _no_data_error(contract: ListedContract, what: str) -> BarRequestError:
    return _as_error(no_data(contract, what))


def _as_error(refusal: Refusal) -> BarRequestError:
    return BarRequestError(refusal.code, refusal.text)


def _no_answer(_gateway: Gateway, _session: "Session", _request: CancelHeadTimestamp) -> None:
    """The real gateway says nothing either."""


ANSWERS: Final[Mapping[Any, Callable[[Gateway, "Session", Any], None]]] = {
    RequestHistoricalData: historical_data,
    CancelHistoricalData: cancel_historical_data,
    RequestHeadTimestamp: head_timestamp,
    CancelHeadTimestamp: _no_answer,
}
