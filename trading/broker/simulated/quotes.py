"""The ticks that describe a contract's market at one moment (ib_wire.md 2.4). Pure."""

from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from trading.broker.simulated import hours, responses
from trading.broker.simulated.listing import FUTURE, ListedContract
from trading.broker.simulated.recorded_market import Prints, instant_of
from trading.broker.simulated.responses import Message

BID_SIZE, BID, ASK, ASK_SIZE, LAST, LAST_SIZE, VOLUME, CLOSE, LAST_TIMESTAMP = 0, 1, 2, 3, 4, 5, 8, 9, 45
CAN_AUTO_EXECUTE: Final = 1
QUOTED_SIZE: Final = 10  # the record has no sizes; pairs quote a million
QUOTED_AMOUNT: Final = 1_000_000
LAST_TRADED_SIZE: Final = 1


def opening_ticks(req_id: int, contract: ListedContract, now: datetime, zone: ZoneInfo) -> list[Message]:
    """What a new line or a snapshot is told: type, parameters, market, close of the day before."""
    prints = contract.prints.until(now)
    before = prints.until(hours.midnight(hours.local_date(now, zone), zone)).last()
    close = [] if before is None else [responses.tick_price(req_id, CLOSE, before, 0)]
    return [responses.market_data_type(req_id), responses.tick_parameters(req_id, contract.tick),
            *_market(req_id, contract, prints, now, zone), *close]


def update_ticks(req_id: int, contract: ListedContract, now: datetime, zone: ZoneInfo) -> list[Message]:
    """What a line is told after a new print."""
    return _market(req_id, contract, contract.prints.until(now), now, zone)


def _market(req_id: int, contract: ListedContract, prints: Prints, now: datetime, zone: ZoneInfo) -> list[Message]:
    last = prints.last()
    if last is None:
        return [responses.tick_price(req_id, kind, -1, 0) for kind in (BID, ASK)]
    quote = _quote(req_id, contract, last)
    return [*quote, *_trades(req_id, prints, now, zone)] if contract.facts.sec_type == FUTURE else quote


def _quote(req_id: int, contract: ListedContract, last: float) -> list[Message]:
    """Each price brings its size, and the size comes again in a message of its own, as on the real gateway."""
    touch = contract.touch(last)
    size = QUOTED_SIZE if contract.facts.sec_type == FUTURE else QUOTED_AMOUNT
    return [responses.tick_price(req_id, BID, touch.bid, size, CAN_AUTO_EXECUTE),
            responses.tick_price(req_id, ASK, touch.ask, size, CAN_AUTO_EXECUTE),
            responses.tick_size(req_id, BID_SIZE, size), responses.tick_size(req_id, ASK_SIZE, size)]


def _trades(req_id: int, prints: Prints, now: datetime, zone: ZoneInfo) -> list[Message]:
    today = prints.since(hours.midnight(hours.local_date(now, zone), zone))
    traded_at = instant_of(int(prints.times[-1]))
    return [responses.tick_price(req_id, LAST, float(prints.prices[-1]), LAST_TRADED_SIZE),
            responses.tick_size(req_id, LAST_SIZE, LAST_TRADED_SIZE),
            responses.tick_size(req_id, VOLUME, len(today)),
            responses.tick_string(req_id, LAST_TIMESTAMP, str(int(traded_at.timestamp())))]
