"""The ticks that describe a contract's market at one moment (ib_wire.md 2.4). Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from trading.broker.simulated import hours, responses
from trading.broker.simulated.listing import CASH, FUTURE, ListedContract
from trading.broker.simulated.permissions import DataKind
from trading.broker.simulated.recorded_market import Prints, instant_of
from trading.broker.simulated.responses import Message

REQ_ID_AT: Final = 2  # in every message that `update_ticks` returns
CAN_AUTO_EXECUTE: Final = 1
QUOTED_SIZE: Final = 10  # the record has no sizes; pairs quote a million
QUOTED_AMOUNT: Final = 1_000_000
LAST_TRADED_SIZE: Final = 1
MARK_PRICE, RT_VOLUME, OPEN_INTEREST = 37, 48, 86
WANTS_MARK_PRICE: Final = frozenset({"221", "232"})
WANTS_RT_VOLUME: Final = "233"
WANTS_OPEN_INTEREST: Final = "588"
GENERIC_TICKS: Final = frozenset({
    "100", "101", "104", "105", "106", "165", "221", "225", "232", "233", "236", "256", "258", "292", "293", "294",
    "295", "318", "375", "411", "456", "460", "499", "506", "586", "587", "588", "595", "614", "619", "623"})


@dataclass(frozen=True, kw_only=True)
class TickTypes:
    """The numbers under which the wire knows the parts of a market."""

    bid: int
    bid_size: int
    ask: int
    ask_size: int
    last: int
    last_size: int
    high: int
    low: int
    volume: int
    close: int
    open: int
    traded_at: int


LIVE_TYPES: Final = TickTypes(bid=1, bid_size=0, ask=2, ask_size=3, last=4, last_size=5, high=6, low=7, volume=8,
                              close=9, open=14, traded_at=45)
DELAYED_TYPES: Final = TickTypes(bid=66, bid_size=69, ask=67, ask_size=70, last=68, last_size=71, high=72, low=73,
                                 volume=74, close=75, open=76, traded_at=88)


@dataclass(frozen=True, kw_only=True)
class Watch:
    """What a client looks at, and how fresh it is."""

    req_id: int
    contract: ListedContract
    kind: DataKind = DataKind.LIVE
    generic_ticks: tuple[str, ...] = ()

    @property
    def types(self) -> TickTypes:
        return DELAYED_TYPES if self.kind.is_delayed else LIVE_TYPES

    def seen(self, now: datetime) -> Prints:
        """What it may know at `now`."""
        return self.contract.prints.until(now - self.kind.age)


def opening_ticks(watch: Watch, now: datetime, zone: ZoneInfo, beside: int = 0) -> list[Message]:
    """What a new line or a snapshot is told: type, parameters, market, the day so far, close of the day before."""
    before = watch.seen(now).until(day_start(watch, now, zone)).last()
    close = [] if before is None else [_price(watch, watch.types.close, before)]
    return [responses.market_data_type(watch.req_id, watch.kind),
            responses.tick_parameters(watch.req_id, watch.contract.grid.finest),
            *_market(watch, now, zone, beside), *_range(watch, now, zone), *close, *_open_interest(watch)]


def update_ticks(watch: Watch, now: datetime, zone: ZoneInfo, beside: int = 0) -> list[Message]:
    """What a line is told after a new print; `beside` counts lots that traded and stand in no print."""
    return [*_market(watch, now, zone, beside), *_new_extremes(watch, now, zone)]


def volume_tick(watch: Watch, now: datetime, zone: ZoneInfo, beside: int) -> Message:
    """The lots of the day: one a print, and those `beside`."""
    return responses.tick_size(watch.req_id, watch.types.volume, len(_today(watch, now, zone)) + beside)


def day_start(watch: Watch, now: datetime, zone: ZoneInfo) -> datetime:
    """The midnight before the newest thing that a line may know."""
    return hours.midnight(hours.local_date(now - watch.kind.age, zone), zone)


def _market(watch: Watch, now: datetime, zone: ZoneInfo, beside: int) -> list[Message]:
    last = watch.seen(now).last()
    if last is None:
        return [responses.tick_price(watch.req_id, kind, -1, 0) for kind in (watch.types.bid, watch.types.ask)]
    quote = _quote(watch, last)
    return [*quote, *_trades(watch, now, zone, beside)] if watch.contract.facts.sec_type == FUTURE else quote


def _quote(watch: Watch, last: float) -> list[Message]:
    """Each price brings its size, and the size comes again in a message of its own, as on the real gateway."""
    touch, types, req_id = watch.contract.touch(last), watch.types, watch.req_id
    size = quoted_size(watch.contract)
    return [responses.tick_price(req_id, types.bid, touch.bid, size, CAN_AUTO_EXECUTE),
            responses.tick_price(req_id, types.ask, touch.ask, size, CAN_AUTO_EXECUTE),
            responses.tick_size(req_id, types.bid_size, size), responses.tick_size(req_id, types.ask_size, size)]


def quoted_size(contract: ListedContract) -> int:
    return QUOTED_AMOUNT if contract.facts.sec_type == CASH else QUOTED_SIZE


def _trades(watch: Watch, now: datetime, zone: ZoneInfo, beside: int) -> list[Message]:
    prints, types, req_id = watch.seen(now), watch.types, watch.req_id
    today = _today(watch, now, zone)
    traded_at = instant_of(int(prints.times[-1]))
    return [responses.tick_price(req_id, types.last, float(prints.prices[-1]), LAST_TRADED_SIZE),
            responses.tick_size(req_id, types.last_size, LAST_TRADED_SIZE),
            volume_tick(watch, now, zone, beside),
            responses.tick_string(req_id, types.traded_at, str(int(traded_at.timestamp()))),
            *_generic(watch, prints, today, beside)]


def _generic(watch: Watch, prints: Prints, today: Prints, beside: int) -> list[Message]:
    """What was asked for by number; the mark is the last price."""
    last = float(prints.prices[-1])
    mark = [_price(watch, MARK_PRICE, last)] if WANTS_MARK_PRICE & set(watch.generic_ticks) else []
    if WANTS_RT_VOLUME not in watch.generic_ticks:
        return mark
    average = float(today.prices.mean()) if len(today) else last
    fields = (responses.number(last), str(LAST_TRADED_SIZE), str(int(prints.times[-1]) // 1_000_000),
              str(len(today) + beside), responses.number(round(average, 8)), "true")
    return [*mark, responses.tick_string(watch.req_id, RT_VOLUME, ";".join(fields))]


def _range(watch: Watch, now: datetime, zone: ZoneInfo) -> list[Message]:
    """High, low and open of a day that has traded."""
    today = _today(watch, now, zone)
    if not len(today) or watch.contract.facts.sec_type != FUTURE:
        return []
    types = watch.types
    return [_price(watch, types.high, float(today.prices.max())), _price(watch, types.low, float(today.prices.min())),
            _price(watch, types.open, float(today.prices[0]))]


def _new_extremes(watch: Watch, now: datetime, zone: ZoneInfo) -> list[Message]:
    today = _today(watch, now, zone)
    if not len(today) or watch.contract.facts.sec_type != FUTURE:
        return []
    last = float(today.prices[-1])
    high = [_price(watch, watch.types.high, last)] if last >= float(today.prices.max()) else []
    return high + ([_price(watch, watch.types.low, last)] if last <= float(today.prices.min()) else [])


def _open_interest(watch: Watch) -> list[Message]:
    """The record knows none; the figure is the contract's own and stays."""
    if WANTS_OPEN_INTEREST not in watch.generic_ticks or watch.contract.facts.sec_type != FUTURE:
        return []
    return [responses.tick_size(watch.req_id, OPEN_INTEREST, 1_000 + watch.contract.facts.con_id % 100_000)]


def _today(watch: Watch, now: datetime, zone: ZoneInfo) -> Prints:
    return watch.seen(now).since(day_start(watch, now, zone))


def _price(watch: Watch, kind: int, price: float) -> Message:
    return responses.tick_price(watch.req_id, kind, price, 0)
