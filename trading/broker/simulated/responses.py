"""Builds the messages that the gateway sends, field by field (ib_wire.md 2.4). Pure.

Field counts are exact: the official clients drop a message that has one too many (ib_wire.md 1.6).
"""

from datetime import datetime
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from trading.broker.simulated.bars import Bar
from trading.broker.simulated.exchange_hours import ExchangeHours
from trading.broker.simulated.listing import FUTURE, ContractFacts, ListedContract, plain
from trading.broker.simulated.orders import Holding
from trading.broker.simulated.price_grid import PriceGrid
from trading.broker.simulated.refusals import Refusal

Message = tuple[str, ...]

UNSET_DOUBLE: Final = "1.7976931348623157E308"
UNSET_INTEGER: Final = "2147483647"
UNSET_LONG: Final = "9223372036854775807"
REJECT_JSON_SINCE: Final = 166
ERROR_TIME_SINCE: Final = 194
SIZE_FIELDS_SINCE: Final = 164
LAST_TRADE_DATE_SINCE: Final = 182
INELIGIBILITY_SINCE: Final = 186
HISTORY_END_SINCE: Final = 196
SYMBOL_DESCRIPTION_SINCE: Final = 176
NO_REQUEST: Final = -1
ORDER_TYPES: Final = "ACTIVETIM,DAY,GTC,LMT,MKT,WHATIF"
FARM_NOTICES: Final = (
    Refusal(2104, "Market data farm connection is OK:usfuture"),
    Refusal(2106, "HMDS data farm connection is OK:ushmds"),
    Refusal(2158, "Sec-def data farm connection is OK:secdefil"),
)


def number(value: float | Decimal) -> str:
    """A price or an amount: shortest decimal, no exponent, integral ones without a point."""
    return plain(float(value))


def handshake(version: int, now: datetime, zone: ZoneInfo) -> Message:
    return (str(version), f"{now.astimezone(zone):%Y%m%d %H:%M:%S} {zone.key}")


def managed_accounts(account: str) -> Message:
    return ("15", "1", account)


def next_valid_id(order_id: int) -> Message:
    return ("9", "1", str(order_id))


def current_time(now: datetime) -> Message:
    return ("49", "1", str(int(now.timestamp())))


def current_time_in_milliseconds(now: datetime) -> Message:
    return ("109", str(int(now.timestamp() * 1000)))


def error(request_id: int, problem: Refusal, version: int) -> Message:
    """From 194 on the version is gone, and `timed` adds when it happened."""
    fields = (str(request_id), str(problem.code), problem.text)
    if version >= ERROR_TIME_SINCE:
        return ("4", *fields, "")
    return ("4", "2", *fields, "") if version >= REJECT_JSON_SINCE else ("4", "2", *fields)


def timed(messages: list[Message], now: datetime, version: int) -> list[Message]:
    """Errors say when, to those clients who read it."""
    if version < ERROR_TIME_SINCE:
        return messages
    stamp = str(int(now.timestamp() * 1000))
    return [(*message, stamp) if message[0] == "4" else message for message in messages]


def end(message_id: str, *identity: str) -> Message:
    """An end marker that carries its message version, such as 52, 53, 54, 55, 62, 64, 74."""
    return (message_id, "1", *identity)


def contract_details(req_id: int, contract: ListedContract, now: datetime, opening: ExchangeHours,
                     version: int) -> Message:
    facts = contract.facts
    future = facts.sec_type == FUTURE
    today = now.astimezone(opening.tz).date()
    old = version < SIZE_FIELDS_SINCE
    return (
        "10", *(("8",) if old else ()), str(req_id), facts.symbol, facts.sec_type, facts.expiry,
        *((facts.expiry,) if version >= LAST_TRADE_DATE_SINCE else ()), "0", "",
        facts.exchange, facts.currency, facts.local_symbol, facts.trading_class, facts.trading_class,
        str(facts.con_id), number(contract.grid.finest), *(("1",) if old else ()), facts.multiplier, ORDER_TYPES,
        facts.exchange, str(facts.magnifier), "0", contract.long_name, "", facts.month, "", "", "", opening.zone,
        opening.text(today), opening.text(today, only_liquid=True), "", "", "0", UNSET_INTEGER,
        facts.symbol if future else "", "IND" if future else "",
        str(contract.grid.rule_id), facts.expiry, "", *_size_fields(version),
        *(("0",) if version >= INELIGIBILITY_SINCE else ()))


def _size_fields(version: int) -> Message:
    if version < SIZE_FIELDS_SINCE - 1:
        return ()
    return ("1",) if version < SIZE_FIELDS_SINCE else ("1", "1", "1")


def market_rule(grid: PriceGrid) -> Message:
    """The edge and the tick of every band."""
    return ("93", str(grid.rule_id), str(len(grid.bands)),
            *(number(value) for band in grid.bands for value in (band.edge, band.tick)))


def position(account: str, facts: ContractFacts, holding: Holding) -> Message:
    """The exchange stays empty, as on the real gateway."""
    return ("61", "3", account, str(facts.con_id), facts.symbol, facts.sec_type, facts.expiry, "0.0", "",
            facts.multiplier, "", facts.currency, facts.local_symbol, facts.trading_class, str(holding.quantity),
            number(holding.average_cost))


def historical_data(req_id: int, bars: list[Bar], start: str, until: str, version: int) -> tuple[Message, ...]:
    """From 196 on the stretch stands in a message of its own, behind the bars."""
    rows = [text for bar in bars for text in _bar_fields(bar)]
    if version >= HISTORY_END_SINCE:
        return ("17", str(req_id), str(len(bars)), *rows), ("108", str(req_id), start, until)
    return (("17", str(req_id), start, until, str(len(bars)), *rows),)


def historical_update(req_id: int, bar: Bar) -> Message:
    """The close comes before the high here (ib_wire.md 2.4)."""
    return ("90", str(req_id), str(bar.count), bar.date, number(bar.open), number(bar.close), number(bar.high),
            number(bar.low), number(bar.average), str(bar.volume))


def _bar_fields(bar: Bar) -> Message:
    return (bar.date, number(bar.open), number(bar.high), number(bar.low), number(bar.close), str(bar.volume),
            number(bar.average), str(bar.count))


def head_timestamp(req_id: int, text: str) -> Message:
    return ("88", str(req_id), text)


def market_data_type(req_id: int, kind: int) -> Message:
    return ("58", "1", str(req_id), str(kind))


def tick_parameters(req_id: int, tick: Decimal) -> Message:
    return ("81", str(req_id), number(tick), "9c0001", "3")


def tick_price(req_id: int, kind: int, price: float | Decimal, size: int, mask: int = 0) -> Message:
    return ("1", "6", str(req_id), str(kind), number(price), str(size), str(mask))


def tick_size(req_id: int, kind: int, size: int) -> Message:
    return ("2", "6", str(req_id), str(kind), str(size))


def tick_string(req_id: int, kind: int, value: str) -> Message:
    return ("46", "6", str(req_id), str(kind), value)


def snapshot_end(req_id: int) -> Message:
    return ("57", "1", str(req_id))
