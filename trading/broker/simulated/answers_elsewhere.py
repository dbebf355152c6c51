"""Answers to what has little to do with trading futures: symbols, the user, and all that is not served here."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from trading.broker.simulated import responses
from trading.broker.simulated.data_requests import (
    RequestEmptyList,
    RequestMatchingSymbols,
    RequestOptionParameters,
    RequestUserInfo,
    Unheard,
    Unserved,
)
from trading.broker.simulated.gateway import Gateway
from trading.broker.simulated.listing import ListedContract
from trading.broker.simulated.refusals import VALIDATION, Refusal

if TYPE_CHECKING:
    from trading.broker.simulated.session import Session

MOST_SYMBOLS: Final = 16
SEARCH_S: Final = 1.0


def matching_symbols(gateway: Gateway, session: "Session", request: RequestMatchingSymbols) -> None:
    now_s, before_s = gateway.clock.monotonic_s(), session.streams.searched_s
    if before_s is not None and now_s - before_s < SEARCH_S:
        session.refuse(request.req_id, Refusal(322, "Error processing request.-'bN' : cause - "
                                                    "Only one symbol search a second is allowed"))
        return
    session.streams.searched_s = now_s
    rows = [_symbol_row(each, session.version) for each in _found(gateway, request.pattern)]
    session.send(("79", str(request.req_id), str(len(rows)), *(text for row in rows for text in row)))


def _found(gateway: Gateway, pattern: str) -> list[ListedContract]:
    """One contract for each name, those whose symbol begins with the pattern first."""
    wanted = pattern.strip().upper()
    named: dict[tuple[str, str, str], ListedContract] = {}
    for contract in gateway.listing.every():
        facts = contract.facts
        if wanted and (facts.symbol.upper().startswith(wanted) or wanted in contract.long_name.upper()):
            named.setdefault((facts.symbol, facts.sec_type, facts.exchange), contract)
    ordered = sorted(named.values(), key=lambda each: (not each.facts.symbol.upper().startswith(wanted),
                                                       each.facts.symbol, each.facts.exchange))
    return ordered[:MOST_SYMBOLS]


def _symbol_row(contract: ListedContract, version: int) -> tuple[str, ...]:
    facts = contract.facts
    described = (contract.long_name, "") if version >= responses.SYMBOL_DESCRIPTION_SINCE else ()
    return (str(facts.con_id), facts.symbol, facts.sec_type, facts.exchange, facts.currency, "0", *described)


def user_info(_gateway: Gateway, session: "Session", request: RequestUserInfo) -> None:
    """Nobody's brand is on it."""
    session.send(("107", str(request.req_id), ""))


def empty_list(_gateway: Gateway, session: "Session", request: RequestEmptyList) -> None:
    session.send((request.message_id, *request.identity, "0"))


def option_parameters(_gateway: Gateway, session: "Session", request: RequestOptionParameters) -> None:
    """There are no options here: the end comes at once."""
    session.send(("76", str(request.req_id)))


def unserved(_gateway: Gateway, session: "Session", request: Unserved) -> None:
    session.refuse(request.req_id, Refusal(321, f"{VALIDATION}{request.name} are not available from this gateway"))


def unheard(_gateway: Gateway, _session: "Session", _request: Unheard) -> None:
    """The real gateway says nothing either."""


ANSWERS: Final[Mapping[Any, Callable[[Gateway, "Session", Any], None]]] = {
    RequestMatchingSymbols: matching_symbols,
    RequestUserInfo: user_info,
    RequestEmptyList: empty_list,
    RequestOptionParameters: option_parameters,
    Unserved: unserved,
    Unheard: unheard,
}
