"""Ticks one by one, as they come and as they came (messages 96 to 99 of ib_wire.md 2.4). Pure."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from trading.broker.simulated import responses
from trading.broker.simulated.listing import ListedContract
from trading.broker.simulated.quotes import LAST_TRADED_SIZE, quoted_size
from trading.broker.simulated.recorded_market import Prints, instant_of
from trading.broker.simulated.responses import Message

NO_ATTRIBUTES: Final = "0"


class TickKind(StrEnum):
    LAST = "Last"
    ALL_LAST = "AllLast"
    BID_ASK = "BidAsk"
    MIDPOINT = "MidPoint"


WIRE_KINDS: Final = {TickKind.LAST: "1", TickKind.ALL_LAST: "2", TickKind.BID_ASK: "3", TickKind.MIDPOINT: "4"}
OF_HISTORY: Final = {"TRADES": TickKind.LAST, "BID_ASK": TickKind.BID_ASK, "MIDPOINT": TickKind.MIDPOINT}


def ticks_by_tick(req_id: int, contract: ListedContract, kind: TickKind, prints: Prints) -> list[Message]:
    """A message 99 for each print."""
    return [("99", str(req_id), WIRE_KINDS[kind], str(_second(stamp)), *_live_fields(contract, kind, float(price)))
            for stamp, price in zip(prints.times, prints.prices, strict=True)]


def historical_ticks(req_id: int, contract: ListedContract, kind: TickKind, prints: Prints) -> Message:
    """All of them in one message 96, 97 or 98, which is the last."""
    rows = [(str(_second(stamp)), *_past_fields(contract, kind, float(price)))
            for stamp, price in zip(prints.times, prints.prices, strict=True)]
    number = {TickKind.MIDPOINT: "96", TickKind.BID_ASK: "97"}.get(kind, "98")
    return (number, str(req_id), str(len(rows)), *(text for row in rows for text in row), "1")


def _live_fields(contract: ListedContract, kind: TickKind, price: float) -> Sequence[str]:
    if kind is TickKind.MIDPOINT:
        return (responses.number(price),)
    if kind is TickKind.BID_ASK:
        return (*_bid_ask(contract, price), NO_ATTRIBUTES)
    return (responses.number(price), str(LAST_TRADED_SIZE), NO_ATTRIBUTES, contract.facts.exchange, "")


def _past_fields(contract: ListedContract, kind: TickKind, price: float) -> Sequence[str]:
    """Attributes come before the prices here; the midpoint has an unused field there, and no size."""
    if kind is TickKind.MIDPOINT:
        return (NO_ATTRIBUTES, responses.number(price), "0")
    if kind is TickKind.BID_ASK:
        return (NO_ATTRIBUTES, *_bid_ask(contract, price))
    return (NO_ATTRIBUTES, responses.number(price), str(LAST_TRADED_SIZE), contract.facts.exchange, "")


def _bid_ask(contract: ListedContract, price: float) -> Sequence[str]:
    touch, size = contract.touch(price), str(quoted_size(contract))
    return responses.number(touch.bid), responses.number(touch.ask), size, size


def _second(stamp: int) -> int:
    return int(instant_of(int(stamp)).timestamp())
