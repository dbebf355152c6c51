"""Reads client messages into requests (ib_wire.md 2.2). Pure.

A message that is not in PARSERS is one that this gateway does not serve.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from trading.broker.simulated import data_parsers
from trading.broker.simulated.data_parsers import combo_legs
from trading.broker.simulated.field_reader import FieldReader
from trading.broker.simulated.place_order import parse_contract, parse_place_order
from trading.broker.simulated.requests import (
    CancelAccountSummary,
    CancelAccountUpdatesMulti,
    CancelHeadTimestamp,
    CancelHistoricalData,
    CancelMarketData,
    CancelOrder,
    CancelPositions,
    GlobalCancel,
    Request,
    RequestAccountSummary,
    RequestAccountUpdates,
    RequestAccountUpdatesMulti,
    RequestAllOpenOrders,
    RequestAutoOpenOrders,
    RequestCompletedOrders,
    RequestContractDetails,
    RequestCurrentTime,
    RequestExecutions,
    RequestHeadTimestamp,
    RequestHistoricalData,
    RequestIds,
    RequestManagedAccounts,
    RequestMarketData,
    RequestMarketRule,
    RequestOpenOrders,
    RequestPositions,
    SetMarketDataType,
    SetServerLogLevel,
    StartApi,
)
from trading.errors import BrokerError

CONTRACT_ISSUER_SINCE: Final = 176
MANUAL_CANCEL_TIME_SINCE: Final = 169
CANCEL_ORDER: Final = "4"
UNVERSIONED_CANCEL_SINCE: Final = 192

Parser = Callable[[FieldReader, int], Request]


class UnknownMessage(BrokerError):
    """The client sent a message id that this gateway does not serve."""

    def __init__(self, message_id: str) -> None:
        super().__init__(f"Fatal Error: Unknown message id. {message_id!r} is not served by this gateway.", code=505)


def parse(fields: Sequence[str], version: int) -> Request:
    """Read one client message at the agreed `version`.

    Raises:
        UnknownMessage: the message id is not served.
        MalformedField: a field is missing or is no number.
    """
    parser = PARSERS.get(fields[0])
    if parser is None:
        raise UnknownMessage(fields[0])
    return parser(FieldReader(fields[1:]), version)


def request_id_of(fields: Sequence[str], version: int) -> int:
    """The id that an error about this message should carry; -1 when it has none."""
    at = 1 if fields[0] == CANCEL_ORDER and version >= UNVERSIONED_CANCEL_SINCE else REQUEST_ID_AT.get(fields[0])
    text = fields[at] if at is not None and at < len(fields) else ""
    return int(text) if text.isdecimal() else -1


def _contract_details(reader: FieldReader, version: int) -> RequestContractDetails:
    reader.skip("version")
    request = RequestContractDetails(reader.integer("reqId"), parse_contract(reader), reader.flag("includeExpired"))
    reader.skip("secIdType, secId", 3 if version >= CONTRACT_ISSUER_SINCE else 2)
    return request


def _market_data(reader: FieldReader, _version: int) -> RequestMarketData:
    reader.skip("version")
    req_id, contract = reader.integer("reqId"), parse_contract(reader)
    legs = combo_legs(reader, contract)
    if reader.flag("deltaNeutralContract"):
        reader.skip("deltaNeutralContract", 3)
    ticks = tuple(tick.strip() for tick in reader.text("genericTicks").split(",") if tick.strip())
    return RequestMarketData(req_id, contract, snapshot=reader.flag("snapshot"), generic_ticks=ticks, legs=legs)


def _historical_data(reader: FieldReader, _version: int) -> RequestHistoricalData:
    req_id, contract, expired = reader.integer("reqId"), parse_contract(reader), reader.flag("includeExpired")
    end, bar_size, duration = reader.text("endDateTime"), reader.text("barSize"), reader.text("duration")
    only_liquid, what, format_date = reader.flag("useRTH"), reader.text("whatToShow"), reader.integer("formatDate")
    legs = combo_legs(reader, contract)
    return RequestHistoricalData(req_id=req_id, contract=contract, include_expired=expired, end=end,
                                 bar_size=bar_size, duration=duration, only_liquid=only_liquid, what_to_show=what,
                                 format_date=format_date, keep_up_to_date=reader.flag("keepUpToDate"), legs=legs)


def _head_timestamp(reader: FieldReader, _version: int) -> RequestHeadTimestamp:
    req_id, contract, expired = reader.integer("reqId"), parse_contract(reader), reader.flag("includeExpired")
    reader.skip("useRTH")
    return RequestHeadTimestamp(req_id, contract, expired, reader.text("whatToShow"), reader.integer("formatDate"))


def _cancel_order(reader: FieldReader, version: int) -> CancelOrder:
    if version < UNVERSIONED_CANCEL_SINCE:
        reader.skip("version")
    request = CancelOrder(reader.integer("orderId"))
    if version >= MANUAL_CANCEL_TIME_SINCE:
        reader.skip("manualCancelOrderTime")
    return request


def _executions(reader: FieldReader, _version: int) -> RequestExecutions:
    reader.skip("version")
    return RequestExecutions(
        req_id=reader.integer("reqId"), client_id=reader.optional_integer("clientId") or 0,
        account=reader.text("acctCode"), since=reader.text("time"), symbol=reader.text("symbol"),
        sec_type=reader.text("secType"), exchange=reader.text("exchange"), side=reader.text("side"))


def _start_api(reader: FieldReader, _version: int) -> StartApi:
    reader.skip("version")
    return StartApi(reader.integer("clientId"))


def _account_updates(reader: FieldReader, _version: int) -> RequestAccountUpdates:
    reader.skip("version")
    return RequestAccountUpdates(reader.flag("subscribe"), reader.text("account"))


def _account_updates_multi(reader: FieldReader, _version: int) -> RequestAccountUpdatesMulti:
    reader.skip("version")
    return RequestAccountUpdatesMulti(reader.integer("reqId"), reader.text("account"), reader.text("model"))


def _account_summary(reader: FieldReader, _version: int) -> RequestAccountSummary:
    reader.skip("version")
    req_id, group = reader.integer("reqId"), reader.text("group")
    tags = tuple(tag.strip() for tag in reader.text("tags").split(",") if tag.strip())
    return RequestAccountSummary(req_id, group, tags)


def _versioned_id(kind: Callable[[int], Request]) -> Parser:
    """A message of a version number and one id."""
    def parser(reader: FieldReader, _version: int) -> Request:
        reader.skip("version")
        return kind(reader.integer("reqId"))
    return parser


def _always(request: Request) -> Parser:
    """A message whose fields tell nothing."""
    return lambda _reader, _version: request


def _bind(reader: FieldReader, _version: int) -> RequestAutoOpenOrders:
    reader.skip("version")
    return RequestAutoOpenOrders(reader.flag("bind"))


PARSERS: Final[Mapping[str, Parser]] = {
    **data_parsers.PARSERS,
    "1": _market_data,
    "2": _versioned_id(CancelMarketData),
    "3": parse_place_order,
    CANCEL_ORDER: _cancel_order,
    "5": _always(RequestOpenOrders()),
    "6": _account_updates,
    "7": _executions,
    "8": _always(RequestIds()),
    "9": _contract_details,
    "14": _always(SetServerLogLevel()),
    "15": _bind,
    "16": _always(RequestAllOpenOrders()),
    "17": _always(RequestManagedAccounts()),
    "20": _historical_data,
    "25": _versioned_id(CancelHistoricalData),
    "49": _always(RequestCurrentTime()),
    "58": _always(GlobalCancel()),
    "59": _versioned_id(SetMarketDataType),
    "61": _always(RequestPositions()),
    "62": _account_summary,
    "63": _versioned_id(CancelAccountSummary),
    "64": _always(CancelPositions()),
    "71": _start_api,
    "76": _account_updates_multi,
    "77": _versioned_id(CancelAccountUpdatesMulti),
    "87": _head_timestamp,
    "90": lambda reader, _version: CancelHeadTimestamp(reader.integer("reqId")),
    "91": lambda reader, _version: RequestMarketRule(reader.integer("marketRuleId")),
    "105": _always(RequestCurrentTime(in_milliseconds=True)),
    "99": lambda reader, _version: RequestCompletedOrders(reader.flag("apiOnly")),
}
REQUEST_ID_AT: Final[Mapping[str, int]] = {
    **data_parsers.REQUEST_ID_AT,
    "1": 2, "2": 2, "3": 1, "4": 2, "7": 2, "9": 2, "20": 1, "25": 2, "62": 2, "63": 2, "76": 2, "77": 2, "87": 1,
}
