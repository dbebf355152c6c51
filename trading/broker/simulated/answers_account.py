"""Answers about the account: positions, values, summaries; and what their watchers hear after a fill."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from trading.broker.simulated import responses
from trading.broker.simulated.account import AccountValue, MarkedPosition, account_values, summary_values
from trading.broker.simulated.gateway import Gateway
from trading.broker.simulated.listing import CASH
from trading.broker.simulated.refusals import VALIDATION, Refusal
from trading.broker.simulated.requests import (
    CancelAccountSummary,
    CancelAccountUpdatesMulti,
    CancelPositions,
    RequestAccountSummary,
    RequestAccountUpdates,
    RequestAccountUpdatesMulti,
    RequestCurrentTime,
    RequestManagedAccounts,
    RequestPositions,
    SetServerLogLevel,
)

if TYPE_CHECKING:
    from trading.broker.simulated.session import Session

MAX_SUMMARIES: Final = 2


def positions(gateway: Gateway, session: "Session", _request: RequestPositions) -> None:
    session.watches_positions = True
    for holding in () if gateway.is_empty() else gateway.book.open_holdings():
        facts = gateway.book.contracts[holding.con_id]
        session.send(responses.position(gateway.settings.account, facts, holding))
    session.send(responses.end("62"))


def cancel_positions(_gateway: Gateway, session: "Session", _request: CancelPositions) -> None:
    session.watches_positions = False


def account_updates(gateway: Gateway, session: "Session", request: RequestAccountUpdates) -> None:
    if request.account not in ("", gateway.settings.account):
        session.refuse(responses.NO_REQUEST, _bad_account(request.account))
        return
    session.watches_account = request.subscribe
    if request.subscribe:
        _send_account(gateway, session)
        session.send(responses.end("54", gateway.settings.account))


def account_updates_multi(gateway: Gateway, session: "Session", request: RequestAccountUpdatesMulti) -> None:
    """The values once; changes come with the single-account subscription."""
    account = gateway.settings.account
    if request.account not in ("", account):
        session.refuse(request.req_id, _bad_account(request.account))
        return
    for line in account_values(account, gateway.statement()):
        session.send(("73", "1", str(request.req_id), account, request.model, line.key, line.value, line.currency))
    session.send(responses.end("74", str(request.req_id)))


def account_summary(gateway: Gateway, session: "Session", request: RequestAccountSummary) -> None:
    if len(session.summaries) >= MAX_SUMMARIES and request.req_id not in session.summaries:
        session.refuse(request.req_id, Refusal(322, "Error processing request.-'bN' : cause - Maximum number of "
                                                    "account summary requests exceeded"))
        return
    session.summaries[request.req_id] = request.tags
    _send_summary(gateway, session, request.req_id, request.tags)


def cancel_account_summary(_gateway: Gateway, session: "Session", request: CancelAccountSummary) -> None:
    session.summaries.pop(request.req_id, None)


def managed_accounts(gateway: Gateway, session: "Session", _request: RequestManagedAccounts) -> None:
    session.send(responses.managed_accounts(gateway.settings.account))


def current_time(gateway: Gateway, session: "Session", _request: RequestCurrentTime) -> None:
    session.send(responses.current_time(gateway.now()))


def refresh(gateway: Gateway, session: "Session") -> None:
    """What every subscriber of the account hears every three minutes."""
    if session.watches_account:
        _send_account(gateway, session)
    for req_id, tags in session.summaries.items():
        _send_summary(gateway, session, req_id, tags)


def position_changed(gateway: Gateway, session: "Session", con_id: int) -> None:
    """A fill: the position, zero included, and the account. Pairs change cash, not positions."""
    facts = gateway.book.contracts[con_id]
    holding = gateway.book.holding(con_id)
    if session.watches_positions and facts.sec_type != CASH:
        session.send(responses.position(gateway.settings.account, facts, holding))
    if session.watches_account:
        if facts.sec_type != CASH and not holding.quantity:
            session.send(_portfolio_row(gateway, MarkedPosition(facts=facts, holding=holding, price=0.0)))
        _send_account(gateway, session)


def _send_account(gateway: Gateway, session: "Session") -> None:
    account, statement = gateway.settings.account, gateway.statement()
    session.send(*(("6", "2", line.key, line.value, line.currency, account)
                   for line in account_values(account, statement)),
                 *(_portfolio_row(gateway, marked) for marked in statement.positions),
                 ("8", "1", f"{gateway.now().astimezone(gateway.zone):%H:%M}"))


def _portfolio_row(gateway: Gateway, marked: MarkedPosition) -> responses.Message:
    facts, holding = marked.facts, marked.holding
    return ("7", "8", str(facts.con_id), facts.symbol, facts.sec_type, facts.expiry, "0", "0", facts.multiplier,
            facts.exchange, facts.currency, facts.local_symbol, facts.trading_class, str(holding.quantity),
            responses.number(marked.price), responses.number(marked.value), responses.number(holding.average_cost),
            responses.number(marked.unrealised), responses.number(holding.realised), gateway.settings.account)


def _send_summary(gateway: Gateway, session: "Session", req_id: int, tags: tuple[str, ...]) -> None:
    session.send(*(_summary_line(gateway, req_id, line) for line in summary_values(gateway.statement(), tags)),
                 responses.end("64", str(req_id)))


def _summary_line(gateway: Gateway, req_id: int, line: AccountValue) -> responses.Message:
    return ("63", "1", str(req_id), gateway.settings.account, line.key, line.value, line.currency)


def _bad_account(account: str) -> Refusal:
    return Refusal(321, f"{VALIDATION}Invalid account code '{account}'")


def _no_answer(_gateway: Gateway, _session: "Session",
               _request: SetServerLogLevel | CancelAccountUpdatesMulti) -> None:
    """The real gateway says nothing either."""


ANSWERS: Final[Mapping[Any, Callable[[Gateway, "Session", Any], None]]] = {
    RequestPositions: positions,
    CancelPositions: cancel_positions,
    RequestAccountUpdates: account_updates,
    RequestAccountUpdatesMulti: account_updates_multi,
    CancelAccountUpdatesMulti: _no_answer,
    RequestAccountSummary: account_summary,
    CancelAccountSummary: cancel_account_summary,
    RequestManagedAccounts: managed_accounts,
    RequestCurrentTime: current_time,
    SetServerLogLevel: _no_answer,
}
