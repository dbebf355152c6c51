"""What an operator lays over the wishes of strategies: smaller, no more, only less, out, or hands off. Pure.

An override that asks for less asks by itself: CLOSE gives the closing trade even when nobody has asked for a trade
(pysystemtrade issues 822 and 604). Source: orders_and_risk.md RC-02, V16, V17; pysystemtrade.md 2.7; P-08 (its floor
made shorts larger than longs).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from fractions import Fraction
from functools import lru_cache
from typing import Final

from trading.errors import ConfigError
from trading.risk.exposure import Effect, Holding, effect, reducing_part

_CACHED: Final = 256


class OverrideKind(IntEnum):
    """From the mildest to the strictest; a stricter one silences a milder one."""

    FACTOR = 0       # the wanted position times a factor from 0 to 1, rounded toward zero; 1 changes nothing
    NO_OPEN = 1      # nothing is opened, grown or turned; orders that work already may finish
    REDUCE_ONLY = 2  # the same, and working orders that add risk are cancelled
    CLOSE = 3        # the whole position is closed, whatever the strategy wants
    NO_TRADE = 4     # no order at all, not even a closing one


@dataclass(frozen=True, kw_only=True, slots=True)
class Override:
    """One override. `factor` has a meaning for FACTOR only and is 1 otherwise."""

    kind: OverrideKind = OverrideKind.FACTOR
    factor: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.factor <= 1:  # NaN is neither
            raise ValueError(f"An override factor lies from 0 to 1, not at {self.factor}.")
        if self.kind is not OverrideKind.FACTOR and self.factor < 1:
            raise ValueError(f"{self.kind.name} has no factor, but got {self.factor}.")

    @property
    def words(self) -> str:
        """As an operator types it; `parse_override` reads it back."""
        if self.kind is OverrideKind.FACTOR:
            return "none" if self.factor >= 1 else repr(self.factor)
        return self.kind.name.lower().replace("_", "-")

    @property
    def meaning(self) -> str:
        """A sentence to a person."""
        if self.kind is OverrideKind.FACTOR and self.factor < 1:
            return f"positions are {self.factor:g} of what is wanted, rounded toward zero"
        return _MEANINGS[self.kind]

    @property
    def cancels_adding_orders(self) -> bool:
        """Whether working orders that add risk are to be cancelled."""
        return self.kind >= OverrideKind.REDUCE_ONLY


_CANCELLED: Final = "working orders that add risk are cancelled"
_MEANINGS: Final = {
    OverrideKind.FACTOR: "nothing is changed",
    OverrideKind.NO_OPEN: "nothing is opened or grown; orders that work already may finish",
    OverrideKind.REDUCE_ONLY: f"positions may only shrink; {_CANCELLED}",
    OverrideKind.CLOSE: f"the position is closed, whatever the strategy wants; {_CANCELLED}",
    OverrideKind.NO_TRADE: f"no order is made, not even to close; {_CANCELLED}",
}

NO_OVERRIDE: Final = Override()
NO_OPEN: Final = Override(kind=OverrideKind.NO_OPEN)
REDUCE_ONLY: Final = Override(kind=OverrideKind.REDUCE_ONLY)
CLOSE: Final = Override(kind=OverrideKind.CLOSE)
NO_TRADE: Final = Override(kind=OverrideKind.NO_TRADE)
_WORDS: Final = {each.words: each for each in (NO_OVERRIDE, NO_OPEN, REDUCE_ONLY, CLOSE, NO_TRADE)}


def combined(overrides: Iterable[Override]) -> Override:
    """The strictest: NO_TRADE, CLOSE, REDUCE_ONLY, NO_OPEN, then the least factor; none at all changes nothing."""
    return max(overrides, key=lambda each: (each.kind, -each.factor), default=NO_OVERRIDE)


def forbids(override: Override, residual: int, position: int) -> bool:
    """Whether an order with `residual` signed lots left, of a strategy that holds `position`, must be taken back."""
    return override.cancels_adding_orders and effect(residual, Holding(position=position)) is Effect.ADDS_RISK


def overridden_position(override: Override, position: int, target: int) -> int:
    """The position to hold, in lots, when `position` is held and a strategy wants `target`.

    A factor gives between 0 and `target`, the same for longs and shorts; every other kind between 0 and `position`.
    """
    match override.kind:
        case OverrideKind.FACTOR:
            return int(target * _exact(override.factor))
        case OverrideKind.NO_OPEN | OverrideKind.REDUCE_ONLY:
            return position + reducing_part(target - position, Holding(position=position))
        case OverrideKind.CLOSE:
            return 0
        case OverrideKind.NO_TRADE:
            return position


def parse_override(text: str) -> Override:
    """Read none, no-open, reduce-only, close, no-trade or a factor such as 0.5. A factor of 0 is close.

    Raises:
        ConfigError: the text is neither.
    """
    word = text.strip().lower().replace("_", "-")
    if word in _WORDS:
        return _WORDS[word]
    try:
        factor = float(word)
        return Override(factor=factor) if factor else CLOSE
    except ValueError as error:
        raise ConfigError(f"{text!r} is no override. Allowed: {', '.join(sorted(_WORDS))}, or a factor from 0 to 1, "
                          f"for example 0.5.") from error


@lru_cache(maxsize=_CACHED)
def _exact(factor: float) -> Fraction:
    """The factor as it was typed: 0.29 of 100 lots are 29, which binary fractions make 28."""
    return Fraction(repr(factor))
