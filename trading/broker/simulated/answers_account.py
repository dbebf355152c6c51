"""Answers about the accounts: positions, values, summaries; and what their watchers hear after a fill."""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from trading.broker.simulated import responses
from trading.broker.simulated.account import AccountValue, MarkedPosition, account_values
from trading.broker.simulated.data_requests import CancelPositionsMulti, RequestPositionsMulti
from trading.broker.simulated.gateway import Gateway
from trading.broker.simulated.listing import CASH
from trading.broker.simulated.orders import Holding
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
from trading.broker.simulated.responses import Message
from trading.broker.simulated.summary_lines import summary_lines

if TYPE_CHECKING:
    from trading.broker.simulated.session import Session

MAX_SUMMARIES: Final = 2
WHOLE_GROUP: Final = "All"
REPLACED: Final = Refusal(2100, "New account data requested from TWS. API client has been unsubscribed from account "
                                "data.")


def positions(gateway: Gateway, session: "Session", _request: RequestPositions) -> None:
    session.watches_positions = True
    for account in gateway.settings.accounts:
        for holding in _open_holdings(gateway, account):
            session.send(responses.position(account, gateway.book.contracts[holding.con_id], holding))
    session.send(responses.end("62"))


def cancel_positions(_gateway: Gateway, session: "Session", _request: CancelPositions) -> None:
    session.watches_positions = False


def positions_multi(gateway: Gateway, session: "Session", request: RequestPositionsMulti) -> None:
    if not _is_known(gateway, request.account):
        session.refuse(request.req_id, _bad_account(request.account))
        return
    session.streams.positions[request.req_id] = (request.account, request.model)
    for account in _accounts(gateway, request.account):
        session.send(*(_multi_row(gateway, request.req_id, (account, request.model), holding)
                       for holding in _open_holdings(gateway, account)))
    session.send(responses.end("72", str(request.req_id)))


def cancel_positions_multi(_gateway: Gateway, session: "Session", request: CancelPositionsMulti) -> None:
    session.streams.positions.pop(request.req_id, None)


def account_updates(gateway: Gateway, session: "Session", request: RequestAccountUpdates) -> None:
    """One account at a time: whoever asks for another loses the first."""
    if not _is_known(gateway, request.account):
        session.refuse(responses.NO_REQUEST, _bad_account(request.account))
        return
    account = request.account or gateway.settings.account
    if request.subscribe and session.watches_account and session.streams.account != account:
        session.refuse(responses.NO_REQUEST, REPLACED)
    session.watches_account, session.streams.account = request.subscribe, account
    if request.subscribe:
        _send_account(gateway, session)
        session.send(responses.end("54", account))


def account_updates_multi(gateway: Gateway, session: "Session", request: RequestAccountUpdatesMulti) -> None:
    if not _is_known(gateway, request.account):
        session.refuse(request.req_id, _bad_account(request.account))
        return
    session.streams.accounts[request.req_id] = (request.account, request.model)
    _send_account_multi(gateway, session, request.req_id)
    session.send(responses.end("74", str(request.req_id)))


def cancel_account_updates_multi(_gateway: Gateway, session: "Session", request: CancelAccountUpdatesMulti) -> None:
    session.streams.accounts.pop(request.req_id, None)


def account_summary(gateway: Gateway, session: "Session", request: RequestAccountSummary) -> None:
    if len(session.summaries) >= MAX_SUMMARIES and request.req_id not in session.summaries:
        session.refuse(request.req_id, Refusal(322, "Error processing request.-'bN' : cause - Maximum number of "
                                                    "account summary requests exceeded"))
        return
    if request.group not in (WHOLE_GROUP, "", *gateway.settings.accounts):
        session.refuse(request.req_id, Refusal(321, f"{VALIDATION}Unknown account group '{request.group}'"))
        return
    session.summaries[request.req_id] = request.tags
    _send_summary(gateway, session, request.req_id, request.tags)


def cancel_account_summary(_gateway: Gateway, session: "Session", request: CancelAccountSummary) -> None:
    session.summaries.pop(request.req_id, None)


def managed_accounts(gateway: Gateway, session: "Session", _request: RequestManagedAccounts) -> None:
    session.send(responses.managed_accounts(",".join(gateway.settings.accounts)))


def current_time(gateway: Gateway, session: "Session", request: RequestCurrentTime) -> None:
    answer = responses.current_time_in_milliseconds if request.in_milliseconds else responses.current_time
    session.send(answer(gateway.now()))


def refresh(gateway: Gateway, session: "Session") -> None:
    """What every subscriber of the account hears every three minutes."""
    if session.watches_account:
        _send_account(gateway, session)
    for req_id in session.streams.accounts:
        _send_account_multi(gateway, session, req_id)
    for req_id, tags in session.summaries.items():
        _send_summary(gateway, session, req_id, tags)


def position_changed(gateway: Gateway, session: "Session", con_id: int) -> None:
    """A fill: the position, zero included, and the account. Pairs change cash, not positions."""
    facts = gateway.book.contracts[con_id]
    if facts.sec_type != CASH:
        for account in gateway.settings.accounts:
            _send_position(gateway, session, account, con_id)
    if session.watches_account:
        holding = _book_holding(gateway, session.streams.account, con_id)
        if facts.sec_type != CASH and not holding.quantity:
            marked = MarkedPosition(facts=facts, holding=holding, price=0.0)
            session.send(_portfolio_row(session.streams.account, marked))
        _send_account(gateway, session)
    for req_id in session.streams.accounts:
        _send_account_multi(gateway, session, req_id)


def _send_position(gateway: Gateway, session: "Session", account: str, con_id: int) -> None:
    """To whoever watches; an account that never held the contract has no position to tell of."""
    book = gateway.book.account(account)
    if con_id not in book.holdings:
        return
    holding = book.holding(con_id)
    if session.watches_positions:
        session.send(responses.position(account, gateway.book.contracts[con_id], holding))
    for req_id, (asked, model) in session.streams.positions.items():
        if account in _accounts(gateway, asked):
            session.send(_multi_row(gateway, req_id, (account, model), holding))


def _send_account(gateway: Gateway, session: "Session") -> None:
    account = session.streams.account
    statement = gateway.statement(account)
    session.send(*(("6", "2", line.key, line.value, line.currency, account)
                   for line in account_values(account, statement)),
                 *(_portfolio_row(account, marked) for marked in statement.positions),
                 ("8", "1", f"{gateway.now().astimezone(gateway.zone):%H:%M}"))


def _send_account_multi(gateway: Gateway, session: "Session", req_id: int) -> None:
    asked, model = session.streams.accounts[req_id]
    for account in _accounts(gateway, asked):
        session.send(*(("73", "1", str(req_id), account, model, line.key, line.value, line.currency)
                       for line in account_values(account, gateway.statement(account))))


def _portfolio_row(account: str, marked: MarkedPosition) -> Message:
    facts, holding = marked.facts, marked.holding
    return ("7", "8", str(facts.con_id), facts.symbol, facts.sec_type, facts.expiry, "0", "0", facts.multiplier,
            facts.exchange, facts.currency, facts.local_symbol, facts.trading_class, str(holding.quantity),
            responses.number(marked.price), responses.number(marked.value), responses.number(holding.average_cost),
            responses.number(marked.unrealised), responses.number(holding.realised), account)


def _multi_row(gateway: Gateway, req_id: int, whose: tuple[str, str], holding: Holding) -> Message:
    """Like a position, with the request before and the model behind."""
    account, model = whose
    _, _, *row = responses.position(account, gateway.book.contracts[holding.con_id], holding)
    return ("71", "1", str(req_id), *row, model)


def _send_summary(gateway: Gateway, session: "Session", req_id: int, tags: tuple[str, ...]) -> None:
    for account in gateway.settings.accounts:
        session.send(*(_summary_line(req_id, account, line)
                       for line in summary_lines(gateway.statement(account), tags)))
    session.send(responses.end("64", str(req_id)))


def _summary_line(req_id: int, account: str, line: AccountValue) -> Message:
    return ("63", "1", str(req_id), account, line.key, line.value, line.currency)


def _open_holdings(gateway: Gateway, account: str) -> Iterable[Holding]:
    return () if gateway.is_empty() else gateway.book.account(account).open_holdings()


def _book_holding(gateway: Gateway, account: str, con_id: int) -> Holding:
    return gateway.book.account(account).holding(con_id)


def _accounts(gateway: Gateway, asked: str) -> tuple[str, ...]:
    return (asked,) if asked else gateway.settings.accounts


def _is_known(gateway: Gateway, account: str) -> bool:
    return account in ("", *gateway.settings.accounts)


def _bad_account(account: str) -> Refusal:
    return Refusal(321, f"{VALIDATION}Invalid account code '{account}'")


def _no_answer(_gateway: Gateway, _session: "Session", _request: SetServerLogLevel) -> None:
    """The real gateway says nothing either."""


ANSWERS: Final[Mapping[Any, Callable[[Gateway, "Session", Any], None]]] = {
    RequestPositions: positions,
    CancelPositions: cancel_positions,
    RequestPositionsMulti: positions_multi,
    CancelPositionsMulti: cancel_positions_multi,
    RequestAccountUpdates: account_updates,
    RequestAccountUpdatesMulti: account_updates_multi,
    CancelAccountUpdatesMulti: cancel_account_updates_multi,
    RequestAccountSummary: account_summary,
    CancelAccountSummary: cancel_account_summary,
    RequestManagedAccounts: managed_accounts,
    RequestCurrentTime: current_time,
    SetServerLogLevel: _no_answer,
}
