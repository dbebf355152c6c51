"""Answers about contracts and quotes. Each tells one session what the record knows at this moment."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from trading.broker.simulated import responses
from trading.broker.simulated.asked_contract import NO_SEC_TYPE, NOT_FOUND, asked, kind_shown, warn_of_delay
from trading.broker.simulated.gateway import Gateway
from trading.broker.simulated.lines import Line
from trading.broker.simulated.listing import ListedContract
from trading.broker.simulated.permissions import DataKind
from trading.broker.simulated.quotes import GENERIC_TICKS, Watch, opening_ticks, volume_tick
from trading.broker.simulated.refusals import VALIDATION, Refusal
from trading.broker.simulated.requests import (
    CancelMarketData,
    RequestContractDetails,
    RequestMarketData,
    RequestMarketRule,
    SetMarketDataType,
)

if TYPE_CHECKING:
    from trading.broker.simulated.session import Session


def contract_details(gateway: Gateway, session: "Session", request: RequestContractDetails) -> None:
    if not (request.contract.con_id or request.contract.sec_type):
        session.refuse(request.req_id, NO_SEC_TYPE)
        return
    now = gateway.now()
    found = gateway.listing.find(request.contract, now, include_expired=request.include_expired)
    if not found:
        session.refuse(request.req_id, NOT_FOUND)
        return
    hours_of = gateway.settings.timetable.of
    session.send(*(responses.contract_details(request.req_id, contract, now, hours_of(contract.facts.exchange),
                                              session.version) for contract in found),
                 responses.end("52", str(request.req_id)))


def market_rule(gateway: Gateway, session: "Session", request: RequestMarketRule) -> None:
    grid = gateway.listing.rule(request.rule_id)
    if grid is None:
        session.refuse(responses.NO_REQUEST, Refusal(321, f"{VALIDATION}Invalid market rule id {request.rule_id}"))
    else:
        session.send(responses.market_rule(grid))


def market_data_type(_gateway: Gateway, session: "Session", request: SetMarketDataType) -> None:
    """Holds for what is asked for from now on; the real gateway answers nothing either."""
    if request.kind in list(DataKind):
        session.data_kind = DataKind(request.kind)
    else:
        session.refuse(responses.NO_REQUEST, Refusal(321, f"{VALIDATION}Invalid market data type {request.kind}"))


def market_data(gateway: Gateway, session: "Session", request: RequestMarketData) -> None:
    contract = asked(gateway, request.contract, request.legs)
    if isinstance(contract, Refusal):
        session.refuse(request.req_id, contract)
        return
    kind = _line_refusal(gateway, session, request, contract) or kind_shown(gateway, session, contract)
    if isinstance(kind, Refusal):
        session.refuse(request.req_id, kind)
        return
    warn_of_delay(session, request.req_id, kind)
    watch = Watch(req_id=request.req_id, contract=contract, kind=kind, generic_ticks=request.generic_ticks)
    now = gateway.now()  # once: what is printed while we speak is news
    beside = gateway.traded_beside(watch, now)
    session.send(*opening_ticks(watch, now, gateway.zone, beside))
    if request.snapshot:
        session.send(responses.snapshot_end(request.req_id))
    else:
        session.lines[request.req_id] = Line(watch, len(watch.seen(now)), beside)


def cancel_market_data(_gateway: Gateway, session: "Session", request: CancelMarketData) -> None:
    if session.lines.pop(request.req_id, None) is None:
        session.refuse(request.req_id, Refusal(300, f"Can't find EId with tickerId:{request.req_id}"))


def stream(gateway: Gateway, session: "Session") -> None:
    """Tell the lines of a session what was printed, and what else was traded, since they last heard."""
    now = gateway.now()
    for line in session.lines.values():
        seen, beside = len(line.watch.seen(now)), gateway.traded_beside(line.watch, now)
        if seen > line.told:
            session.send(*gateway.sheet.news(line.watch, seen, now, beside))
        elif beside != line.beside:
            session.send(volume_tick(line.watch, now, gateway.zone, beside))
        line.told, line.beside = seen, beside


def _line_refusal(gateway: Gateway, session: "Session", request: RequestMarketData,
                  contract: ListedContract) -> Refusal | None:
    unknown = [tick for tick in request.generic_ticks if tick.partition(":")[0] not in GENERIC_TICKS]
    if unknown:
        return Refusal(321, f"{VALIDATION}Incorrect generic tick list of {','.join(request.generic_ticks)}.  "
                            f"Legal ones for ({contract.facts.sec_type}) are: {','.join(sorted(GENERIC_TICKS))}")
    if request.req_id in session.lines:
        return Refusal(102, "Duplicate ticker id")
    if request.snapshot:
        if request.generic_ticks:
            return Refusal(321, f"{VALIDATION}Snapshot market data subscription is not applicable to generic ticks")
        return None
    taken = sum(len(each.lines) for each in gateway.sessions.values())
    return Refusal(101, "Max number of tickers has been reached") if taken >= gateway.settings.limits.lines else None


ANSWERS: Final[Mapping[Any, Callable[[Gateway, "Session", Any], None]]] = {
    RequestContractDetails: contract_details,
    RequestMarketRule: market_rule,
    RequestMarketData: market_data,
    CancelMarketData: cancel_market_data,
    SetMarketDataType: market_data_type,
}
