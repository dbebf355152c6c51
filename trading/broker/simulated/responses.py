"""Builds the messages that the gateway sends, field by field (ib_wire.md 2.4). Pure.

Field counts are exact: the official clients drop a message that has one too many (ib_wire.md 1.6).
"""

from datetime import datetime
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from trading.broker.simulated import hours
from trading.broker.simulated.bars import Bar
from trading.broker.simulated.listing import FUTURE, ContractFacts, ListedContract, plain
from trading.broker.simulated.orders import Holding
from trading.broker.simulated.refusals import Refusal

Message = tuple[str, ...]

UNSET_DOUBLE: Final = "1.7976931348623157E308"
UNSET_INTEGER: Final = "2147483647"
UNSET_LONG: Final = "9223372036854775807"
REJECT_JSON_SINCE: Final = 166
SIZE_FIELDS_SINCE: Final = 164
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


def error(request_id: int, problem: Refusal, version: int) -> Message:
    fields = ("4", "2", str(request_id), str(problem.code), problem.text)
    return (*fields, "") if version >= REJECT_JSON_SINCE else fields


def end(message_id: str, *identity: str) -> Message:
    """An end marker that carries its message version, such as 52, 53, 54, 55, 62, 64, 74."""
    return (message_id, "1", *identity)


def contract_details(req_id: int, contract: ListedContract, now: datetime, zone: ZoneInfo, version: int) -> Message:
    facts = contract.facts
    future = facts.sec_type == FUTURE
    sessions = hours.hours_text(hours.local_date(now, zone))
    old = version < SIZE_FIELDS_SINCE
    return (
        "10", *(("8",) if old else ()), str(req_id), facts.symbol, facts.sec_type, facts.expiry, "0", "",
        facts.exchange, facts.currency, facts.local_symbol, facts.trading_class, facts.trading_class,
        str(facts.con_id), number(contract.tick), *(("1",) if old else ()), facts.multiplier, ORDER_TYPES,
        facts.exchange, str(facts.magnifier), "0", contract.long_name, "", facts.month, "", "", "", zone.key,
        sessions, sessions, "", "", "0", UNSET_INTEGER, facts.symbol if future else "", "IND" if future else "",
        str(market_rule_id(contract.tick)), facts.expiry, "", *_size_fields(version))


def _size_fields(version: int) -> Message:
    if version < SIZE_FIELDS_SINCE - 1:
        return ()
    return ("1",) if version < SIZE_FIELDS_SINCE else ("1", "1", "1")


def market_rule_id(tick: Decimal) -> int:
    """One rule a tick size: its power of ten, and whether it is one or five of it."""
    normal = tick.normalize()
    _, digits, exponent = normal.as_tuple()
    return 1000 + 10 * int(exponent) + digits[0]


def market_rule(rule_id: int) -> Message:
    """The tick of `market_rule_id`, the same at all prices."""
    exponent, digit = divmod(rule_id - 1000, 10)
    return ("93", str(rule_id), "1", "0", number(Decimal(digit).scaleb(exponent)))


def position(account: str, facts: ContractFacts, holding: Holding) -> Message:
    """The exchange stays empty, as on the real gateway."""
    return ("61", "3", account, str(facts.con_id), facts.symbol, facts.sec_type, facts.expiry, "0.0", "",
            facts.multiplier, "", facts.currency, facts.local_symbol, facts.trading_class, str(holding.quantity),
            number(holding.average_cost))


def historical_data(req_id: int, bars: list[Bar], start: str, until: str) -> Message:
    rows = [text for bar in bars for text in _bar_fields(bar)]
    return ("17", str(req_id), start, until, str(len(bars)), *rows)


def historical_update(req_id: int, bar: Bar) -> Message:
    """The close comes before the high here (ib_wire.md 2.4)."""
    return ("90", str(req_id), str(bar.count), bar.date, number(bar.open), number(bar.close), number(bar.high),
            number(bar.low), number(bar.average), str(bar.volume))


def _bar_fields(bar: Bar) -> Message:
    return (bar.date, number(bar.open), number(bar.high), number(bar.low), number(bar.close), str(bar.volume),
            number(bar.average), str(bar.count))


def head_timestamp(req_id: int, text: str) -> Message:
    return ("88", str(req_id), text)


def market_data_type(req_id: int) -> Message:
    return ("58", "1", str(req_id), "1")


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
