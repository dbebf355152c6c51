"""What the independent watchdog sees, remembers, and goes by. Plain values; seconds are monotonic ones.

Unknown is a state: `orders` None is a broker that could not be read, `store` None a store that did not answer.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from trading.risk.kill_level import KillLevel


class Subject(StrEnum):
    """What an alert of the watchdog is about."""

    HALT = "halt"        # trading is halted, and orders rest all the same
    SILENCE = "silence"  # nobody looks after the orders that rest
    EXCESS = "excess"    # the broker holds more than is allowed, or has more orders
    BLIND = "blind"      # the broker cannot be read


@dataclass(frozen=True, kw_only=True, slots=True)
class WatchRules:
    """How patient it is. A position is in excess beyond its limit and `margin_share` of it, at least one lot."""

    halt_grace_s: float = 30.0
    silent_after_s: float = 120.0
    blind_after_s: float = 300.0
    most_orders: int = 50
    margin_share: float = 0.25
    repeat_cancel_s: float = 10.0


@dataclass(frozen=True, kw_only=True, slots=True)
class RestingOrder:
    """An order that is open at the broker, of whatever client. `reference` is what its sender wrote on it."""

    key: str
    reference: str
    is_ours: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class StoreView:
    """What the store says.

    Args:
        level_words: the level, who raised it and why.
        allowed: references of orders that may rest at this level: those that flatten.
        sign: changes with each sign of life of a daemon; None when there never was one.
        limits: position limits of all strategies together, lots by instrument.
    """

    level: KillLevel = KillLevel.K0_NORMAL
    level_words: str = ""
    allowed: frozenset[str] = frozenset()
    sign: int | None = None
    limits: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Picture:
    """One look. `lots`: the larger of the net position of an instrument and of each of its contracts, no sign."""

    at_s: float
    orders: tuple[RestingOrder, ...] | None
    lots: Mapping[str, int]
    store: StoreView | None
    is_flagged: bool = False

    @property
    def is_whole(self) -> bool:
        return self.orders is not None and self.store is not None


@dataclass(frozen=True, kw_only=True, slots=True)
class Tolerated:
    """Lots of an instrument up to which nothing is done, while its limit is `limit`."""

    limit: int
    lots: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Memory:
    """What is known from earlier looks; a watchdog that has just started knows nothing and waits."""

    began_s: float
    heard_s: float                                # the last sign of life, or the beginning
    read_s: float                                 # the last time that the broker was read, or the beginning
    store: StoreView | None = None                # the last one
    had_ours: bool = False                        # orders of ours rested when they were read last
    forbidden_since: Mapping[str, float] = field(default_factory=dict)  # by key of the order
    clear_reads: int = 0                          # in a row without an order that the level forbids
    tolerated: Mapping[str, Tolerated] = field(default_factory=dict)
    seen_once: frozenset[str] = frozenset()       # in excess at the last look
    is_crowded: bool = False                      # too many orders, and the level was raised for it
    cancelled_s: float | None = None
    open: Mapping[Subject, str] = field(default_factory=dict)  # what people have been told


def beginning(at_s: float) -> Memory:
    """What a watchdog knows that starts now."""
    return Memory(began_s=at_s, heard_s=at_s, read_s=at_s)


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """What is to be done; an empty reason is nothing. Raise before you cancel: a level is stored before it is acted on.

    `open` is all that people should know now; what they were told before and is not in it is over.
    """

    memory: Memory
    cancel: str = ""
    raise_level: str = ""  # to K3
    lay_flag: str = ""     # instead of it, when there is no store to write to
    open: Mapping[Subject, str] = field(default_factory=dict)


def largest_lots(held: Iterable[tuple[str, int]]) -> dict[str, int]:
    """For each instrument the larger of its net position and of each contract: a spread is no small position."""
    lots, net = dict[str, int](), dict[str, int]()
    for instrument, quantity in held:
        net[instrument] = net.get(instrument, 0) + quantity
        lots[instrument] = max(lots.get(instrument, 0), abs(quantity))
    return {instrument: max(most, abs(net[instrument])) for instrument, most in lots.items()}
