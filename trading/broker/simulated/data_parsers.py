"""Reads the client messages about streams, ticks, symbols and profits (ib_wire.md 2.2). Pure.

What the real gateway serves and this one does not is read too: as far as its request id, so that the refusal names it.
"""

from collections.abc import Callable, Mapping
from typing import Final

from trading.broker.simulated.data_requests import (
    CancelDepth,
    CancelHistogram,
    CancelPositionsMulti,
    CancelProfit,
    CancelRealTimeBars,
    CancelSingleProfit,
    CancelTickByTick,
    DataRequest,
    RequestDepth,
    RequestDepthExchanges,
    RequestEmptyList,
    RequestHistogram,
    RequestHistoricalTicks,
    RequestMatchingSymbols,
    RequestOptionParameters,
    RequestPositionsMulti,
    RequestProfit,
    RequestRealTimeBars,
    RequestSingleProfit,
    RequestTickByTick,
    RequestUserInfo,
    Unheard,
    Unserved,
)
from trading.broker.simulated.field_reader import FieldReader
from trading.broker.simulated.listing import BAG, ContractQuery
from trading.broker.simulated.place_order import ComboLeg, parse_contract

DataParser = Callable[[FieldReader, int], DataRequest]
NO_ID: Final = -1


def combo_legs(reader: FieldReader, contract: ContractQuery) -> tuple[ComboLeg, ...]:
    """The legs that stand in a request for a combination, and in no other."""
    if contract.sec_type != BAG:
        return ()
    return tuple(ComboLeg(con_id=reader.integer("leg conId"), ratio=reader.integer("leg ratio"),
                          action=reader.text("leg action"), exchange=reader.text("leg exchange"))
                 for _ in range(reader.count("comboLegs")))


def _tick_by_tick(reader: FieldReader, _version: int) -> RequestTickByTick:
    return RequestTickByTick(req_id=reader.integer("reqId"), contract=parse_contract(reader),
                             kind=reader.text("tickType"), past_ticks=reader.optional_integer("numberOfTicks") or 0,
                             ignores_size=reader.flag("ignoreSize"))


def _depth(reader: FieldReader, _version: int) -> RequestDepth:
    reader.skip("version")
    return RequestDepth(req_id=reader.integer("reqId"), contract=parse_contract(reader), rows=reader.integer("numRows"),
                        is_smart=reader.flag("isSmartDepth"))


def _real_time_bars(reader: FieldReader, _version: int) -> RequestRealTimeBars:
    reader.skip("version")
    req_id, contract = reader.integer("reqId"), parse_contract(reader)
    reader.skip("barSize")  # five seconds, whatever it says
    return RequestRealTimeBars(req_id=req_id, contract=contract, what_to_show=reader.text("whatToShow"))


def _historical_ticks(reader: FieldReader, _version: int) -> RequestHistoricalTicks:
    return RequestHistoricalTicks(
        req_id=reader.integer("reqId"), contract=parse_contract(reader), include_expired=reader.flag("includeExpired"),
        start=reader.text("startDateTime"), end=reader.text("endDateTime"), count=reader.integer("numberOfTicks"),
        what_to_show=reader.text("whatToShow"))


def _histogram(reader: FieldReader, _version: int) -> RequestHistogram:
    req_id, contract, expired = reader.integer("reqId"), parse_contract(reader), reader.flag("includeExpired")
    reader.skip("useRTH")
    return RequestHistogram(req_id=req_id, contract=contract, include_expired=expired, period=reader.text("period"))


def _positions_multi(reader: FieldReader, _version: int) -> RequestPositionsMulti:
    reader.skip("version")
    return RequestPositionsMulti(reader.integer("reqId"), reader.text("account"), reader.text("model"))


def _profit(reader: FieldReader, _version: int) -> RequestProfit:
    return RequestProfit(reader.integer("reqId"), reader.text("account"), reader.text("model"))


def _single_profit(reader: FieldReader, _version: int) -> RequestSingleProfit:
    return RequestSingleProfit(reader.integer("reqId"), reader.text("account"), reader.text("model"),
                               reader.integer("conId"))


def _matching_symbols(reader: FieldReader, _version: int) -> RequestMatchingSymbols:
    return RequestMatchingSymbols(reader.integer("reqId"), reader.text("pattern"))


def _by_id(kind: Callable[[int], DataRequest]) -> DataParser:
    return lambda reader, _version: kind(reader.integer("reqId"))


def _by_versioned_id(kind: Callable[[int], DataRequest]) -> DataParser:
    def parser(reader: FieldReader, _version: int) -> DataRequest:
        reader.skip("version")
        return kind(reader.integer("reqId"))
    return parser


def _without_id(request: DataRequest) -> DataParser:
    return lambda _reader, _version: request


def _unserved(name: str) -> Callable[[int], DataRequest]:
    return lambda req_id: Unserved(req_id, name)


def _none_of(message_id: str) -> Callable[[int], DataRequest]:
    return lambda req_id: RequestEmptyList(message_id, (str(req_id),))


_NAMES_OF_ID_FIRST: Final = {
    "22": "Market scanners", "84": "News articles", "86": "Historical news", "100": "Wall Street Horizon data",
    "102": "Wall Street Horizon data"}
_NAMES_OF_VERSION_FIRST: Final = {
    "21": "Option exercises", "52": "Fundamental data", "54": "Option calculations", "55": "Option calculations",
    "67": "Display groups", "68": "Display groups", "69": "Display groups"}
_NAMES_WITHOUT_ID: Final = {
    "12": "News bulletins", "18": "Financial advisor data", "19": "Financial advisor data", "24": "Market scanners",
    "65": "Verification", "66": "Verification", "72": "Verification", "73": "Verification"}
_CANCELS: Final = ("13", "23", "53", "56", "57", "70", "101", "103")
PARSERS: Final[Mapping[str, DataParser]] = {
    "10": _depth,
    "11": _by_versioned_id(CancelDepth),
    "50": _real_time_bars,
    "51": _by_versioned_id(CancelRealTimeBars),
    "74": _positions_multi,
    "75": _by_versioned_id(CancelPositionsMulti),
    "78": _by_id(RequestOptionParameters),
    "79": _by_id(_none_of("77")),
    "80": _without_id(RequestEmptyList("78")),
    "81": _matching_symbols,
    "82": _without_id(RequestDepthExchanges()),
    "83": _by_id(_none_of("82")),
    "85": _without_id(RequestEmptyList("85")),
    "88": _histogram,
    "89": _by_id(CancelHistogram),
    "92": _profit,
    "93": _by_id(CancelProfit),
    "94": _single_profit,
    "95": _by_id(CancelSingleProfit),
    "96": _historical_ticks,
    "97": _tick_by_tick,
    "98": _by_id(CancelTickByTick),
    "104": _by_id(RequestUserInfo),
    **{message: _by_id(_unserved(name)) for message, name in _NAMES_OF_ID_FIRST.items()},
    **{message: _by_versioned_id(_unserved(name)) for message, name in _NAMES_OF_VERSION_FIRST.items()},
    **{message: _without_id(Unserved(NO_ID, name)) for message, name in _NAMES_WITHOUT_ID.items()},
    **{message: _without_id(Unheard()) for message in _CANCELS},
}
REQUEST_ID_AT: Final[Mapping[str, int]] = {
    "10": 2, "11": 2, "50": 2, "51": 2, "74": 2, "75": 2,
    **dict.fromkeys(("78", "79", "81", "83", "88", "89", "92", "93", "94", "95", "96", "97", "98", "104"), 1),
    **dict.fromkeys(_NAMES_OF_ID_FIRST, 1), **dict.fromkeys(_NAMES_OF_VERSION_FIRST, 2),
}
