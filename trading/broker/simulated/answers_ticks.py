"""Answers about single ticks: tick-by-tick streams, historical ticks, histograms."""

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any, Final

from trading.broker.simulated import bars, responses
from trading.broker.simulated.answers_history import no_data
from trading.broker.simulated.asked_contract import asked, kind_shown, passing
from trading.broker.simulated.data_requests import (
    CancelHistogram,
    CancelTickByTick,
    RequestHistogram,
    RequestHistoricalTicks,
    RequestTickByTick,
)
from trading.broker.simulated.gateway import Gateway
from trading.broker.simulated.lines import TickLine
from trading.broker.simulated.listing import BAG, CASH, ListedContract
from trading.broker.simulated.permissions import DataKind, Pacing
from trading.broker.simulated.recorded_market import Prints
from trading.broker.simulated.refusals import VALIDATION, Refusal
from trading.broker.simulated.ticks import OF_HISTORY, TickKind, historical_ticks, ticks_by_tick

if TYPE_CHECKING:
    from trading.broker.simulated.session import Session

MOST_TICKS: Final = 1000
SAME_INSTRUMENT_S: Final = 15.0
PACED: Final = Refusal(420, "Invalid Real-time Query:Historical data request pacing violation")
UNITS: Final = {"second": timedelta(seconds=1), "minute": timedelta(minutes=1), "hour": timedelta(hours=1),
                "day": timedelta(days=1), "week": timedelta(days=7), "month": timedelta(days=30),
                "year": timedelta(days=365)}


def tick_by_tick(gateway: Gateway, session: "Session", request: RequestTickByTick) -> None:
    contract = passing(asked(gateway, request.contract), lambda found: _tick_refusal(gateway, session, request, found))
    if isinstance(contract, Refusal):
        session.refuse(request.req_id, contract)
        return
    kind, prints = TickKind(request.kind), contract.prints.until(gateway.now())
    if request.past_ticks:
        past = _newest(prints, min(request.past_ticks, MOST_TICKS))
        session.send(historical_ticks(request.req_id, contract, kind, past))
    session.streams.tick_requests[(contract.facts.con_id, kind)] = gateway.clock.monotonic_s()
    session.streams.ticks[request.req_id] = TickLine(contract, kind, len(prints))
    if kind is TickKind.BID_ASK or kind is TickKind.MIDPOINT:  # quotes begin with those that stand
        session.send(*ticks_by_tick(request.req_id, contract, kind, _newest(prints, 1)))


def _tick_refusal(gateway: Gateway, session: "Session", request: RequestTickByTick,
                  contract: ListedContract) -> Refusal | None:
    if request.kind not in list(TickKind):
        return Refusal(321, f"{VALIDATION}Invalid tick-by-tick type '{request.kind}'. Allowed: {', '.join(TickKind)}")
    if contract.facts.sec_type == BAG or (contract.facts.sec_type == CASH and request.kind in ("Last", "AllLast")):
        return Refusal(10189, f"Failed to request tick-by-tick data.{request.kind} tick-by-tick requests are not "
                              f"supported for {contract.facts.sec_type}.")
    if request.req_id in session.streams.ticks:
        return Refusal(102, "Duplicate ticker id")
    if kind_shown(gateway, session, contract) not in (DataKind.LIVE, DataKind.FROZEN):
        return Refusal(10189, f"Failed to request tick-by-tick data.No market data permissions for "
                              f"{contract.facts.exchange} {contract.facts.sec_type}")
    taken = sum(len(each.streams.ticks) for each in gateway.sessions.values())
    if taken >= gateway.settings.limits.tick_by_tick:
        return Refusal(10190, "Max number of tick-by-tick requests has been reached.")
    return PACED if _is_too_soon(gateway, session, (contract.facts.con_id, request.kind)) else None


def _is_too_soon(gateway: Gateway, session: "Session", key: tuple[int, str]) -> bool:
    asked_s = session.streams.tick_requests.get(key)
    is_paced = gateway.settings.limits.pacing is not Pacing.OFF
    return is_paced and asked_s is not None and gateway.clock.monotonic_s() - asked_s < SAME_INSTRUMENT_S


def cancel_tick_by_tick(_gateway: Gateway, session: "Session", request: CancelTickByTick) -> None:
    if session.streams.ticks.pop(request.req_id, None) is None:
        session.refuse(request.req_id, Refusal(300, f"Can't find EId with tickerId:{request.req_id}"))


def stream(gateway: Gateway, session: "Session") -> None:
    for req_id, line in session.streams.ticks.items():
        prints = line.contract.prints.until(gateway.now())
        news = _newest(prints, len(prints) - line.told)
        line.told = len(prints)
        session.send(*ticks_by_tick(req_id, line.contract, TickKind(line.kind), news))


def past_ticks(gateway: Gateway, session: "Session", request: RequestHistoricalTicks) -> None:
    contract = passing(asked(gateway, request.contract, include_expired=request.include_expired),
                       lambda found: _past_refusal(request, found))
    if isinstance(contract, Refusal):
        session.refuse(request.req_id, contract)
        return
    try:
        prints = _stretch(gateway, request, contract)
    except bars.BarRequestError as error:
        session.refuse(request.req_id, Refusal(error.code or 321, str(error)))
        return
    session.send(historical_ticks(request.req_id, contract, OF_HISTORY[request.what_to_show], prints))


def _past_refusal(request: RequestHistoricalTicks, contract: ListedContract) -> Refusal | None:
    problem = "Failed to request historical ticks:"
    if (request.start == "") == (request.end == ""):
        return Refusal(10187, f"{problem}exactly one of start and end must be given")
    if not 1 <= request.count <= MOST_TICKS:
        return Refusal(10187, f"{problem}the number of ticks must be 1 to {MOST_TICKS}")
    if request.what_to_show not in OF_HISTORY:
        return Refusal(10187, f"{problem}{request.what_to_show!r} is none of {', '.join(OF_HISTORY)}")
    if request.what_to_show == "TRADES" and contract.facts.sec_type == CASH:
        return Refusal(10187, f"{problem}No historical market data for {contract.facts.local_symbol} Trades")
    return None


def _stretch(gateway: Gateway, request: RequestHistoricalTicks, contract: ListedContract) -> Prints:
    known = contract.prints.until(gateway.now())
    if request.end:
        return _newest(known.until(bars.parse_end(request.end, gateway.now(), gateway.zone)), request.count)
    after = known.since(bars.parse_end(request.start, gateway.now(), gateway.zone))
    return Prints(after.times[:request.count], after.prices[:request.count])


def histogram(gateway: Gateway, session: "Session", request: RequestHistogram) -> None:
    """How often each price was printed over the period."""
    contract = asked(gateway, request.contract, include_expired=request.include_expired)
    length = _period(request.period)
    if isinstance(contract, Refusal) or length is None:
        session.refuse(request.req_id, contract if isinstance(contract, Refusal) else Refusal(
            10188, f"Failed to request histogram data:Invalid period {request.period!r}; for example '3 days'"))
        return
    prints = contract.prints.until(gateway.now()).since(gateway.now().astimezone(UTC) - length)
    counts = sorted(Counter(float(price) for price in prints.prices).items())
    if not counts:
        session.refuse(request.req_id, no_data(contract, "Histogram"))
        return
    session.send(("89", str(request.req_id), str(len(counts)),
                  *(text for price, count in counts for text in (responses.number(price), str(count)))))


def _period(text: str) -> timedelta | None:
    number, _, unit = text.partition(" ")
    length = UNITS.get(unit.removesuffix("s"))
    return int(number) * length if length is not None and number.isdecimal() and 0 < int(number) < 1000 else None


def _newest(prints: Prints, count: int) -> Prints:
    first = max(0, len(prints) - count)
    return Prints(prints.times[first:], prints.prices[first:])


def _no_answer(_gateway: Gateway, _session: "Session", _request: CancelHistogram) -> None:
    """The real gateway says nothing either."""


ANSWERS: Final[Mapping[Any, Callable[[Gateway, "Session", Any], None]]] = {
    RequestTickByTick: tick_by_tick,
    CancelTickByTick: cancel_tick_by_tick,
    RequestHistoricalTicks: past_ticks,
    RequestHistogram: histogram,
    CancelHistogram: _no_answer,
}
