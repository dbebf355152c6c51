"""Reading what a person asks for: whole lots, finite prices, known words. What is wrong is named, nothing is done."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from decimal import Decimal, InvalidOperation
from functools import cache
from math import isfinite
from types import UnionType
from typing import Any, Final, TypeVar, get_args, get_origin, get_type_hints

from trading.data.trading_desk.deed import Deed
from trading.data.trading_desk.records import LongText
from trading.errors import ConfigError

MOST_LOTS: Final = 1_000_000  # more is a slip of the keyboard
MOST_PRICE: Final = Decimal(10) ** 12
LONGEST_TEXT: Final = 1000
LONGEST_FILE: Final = 3_500_000  # characters; what the control socket takes, with room for its marks
AnyDeed = TypeVar("AnyDeed", bound=Deed)


def deed_of(kind: type[AnyDeed], values: Mapping[str, Any]) -> AnyDeed:
    """The deed that `values` (field to value, as JSON or a notebook brings them) ask for.

    Raises:
        ConfigError: a field is unknown, missing or not of its kind.
    """
    readers, required = _readers_of(kind)
    unknown = sorted(values.keys() - readers.keys())
    missing = sorted(required - values.keys())
    if unknown or missing:
        wrong = f"knows no {', '.join(unknown)}" if unknown else f"needs {', '.join(missing)}"
        raise ConfigError(f"{kind.verb} {wrong}; it takes {', '.join(readers) or 'nothing'}. Nothing was changed.")
    return kind(**{name: readers[name](name, value) for name, value in values.items()})


def checked(deed: AnyDeed) -> AnyDeed:
    """`deed`, read again like one that came from outside."""
    return deed_of(type(deed), {name: getattr(deed, name) for name in _readers_of(type(deed))[0]})


def lots_of(name: str, value: object) -> int:
    """Whole lots, as a number or as digits."""
    text = value.strip() if isinstance(value, str) else value
    is_digits = isinstance(text, str) and text.isascii() and text.lstrip("+-").isdecimal() and len(text) < 20
    if not is_digits and (isinstance(text, bool) or not isinstance(text, int)):
        raise ConfigError(f"{name} is {value!r}; it must be a whole number, as in 2. Nothing was changed.")
    try:
        found = int(text)  # type: ignore[call-overload]  # an int, or digits
    except ValueError as error:
        raise ConfigError(f"{name} is {value!r}; it must be a whole number, as in 2. Nothing was changed.") from error
    if abs(found) > MOST_LOTS:
        raise ConfigError(f"{name} is {found}; more than {MOST_LOTS} is a slip of the keyboard. Nothing was changed.")
    return int(found)


def price_of(name: str, value: object) -> Decimal:
    """A finite price, as text or a number; to the digits that were typed."""
    text = repr(value) if isinstance(value, float) else str(value).strip()
    try:
        found = Decimal("NaN") if isinstance(value, bool) else Decimal(text)
    except InvalidOperation:
        found = Decimal("NaN")
    if not found.is_finite() or abs(found) > MOST_PRICE:
        raise ConfigError(f"{name} is {value!r}; it must be a price, as in 5012.25. Nothing was changed.")
    return found


def _text(name: str, value: object) -> str:
    if not isinstance(value, str) or len(value) > LONGEST_TEXT:
        raise ConfigError(f"{name} is {str(value)[:80]!r}; it must be a text of at most {LONGEST_TEXT} characters. "
                          f"Nothing was changed.")
    return value.strip()


def _file(name: str, value: object) -> str:
    if not isinstance(value, str) or len(value) > LONGEST_FILE:
        raise ConfigError(f"{name} must be the text of a file of at most {LONGEST_FILE:,} characters. "
                          f"Nothing was changed.")
    return value


def _yes_or_no(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise ConfigError(f"{name} is {value!r}; it must be true or false. Nothing was changed.")
    return value


def _sizes(name: str, value: object) -> dict[str, float]:
    """Words to positive numbers."""
    if not isinstance(value, dict) or not all(_is_size(size) for size in value.values()):
        raise ConfigError(f"{name} must be positive numbers by name. Nothing was changed.")
    return {_text(name, key): float(size) for key, size in value.items()}


def _is_size(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value) and value > 0


Reader = Callable[[str, Any], Any]
_READERS: Final[dict[Any, Reader]] = {str: _text, bool: _yes_or_no, int: lots_of, Decimal: price_of, dict: _sizes,
                                           LongText: _file}


@cache
def _readers_of(kind: Any) -> tuple[dict[str, Reader], frozenset[str]]:
    """How each field of a deed is read, and which must be there."""
    hints = get_type_hints(kind)
    readers = {each.name: _reader(hints[each.name]) for each in fields(kind)}
    plain = frozenset(each.name for each in fields(kind) if each.default is each.default_factory)
    return readers, plain  # both are MISSING where there is no default


def _reader(hint: Any) -> Reader:
    if get_origin(hint) is UnionType:
        inner = _reader(get_args(hint)[0])
        return lambda name, value: None if value is None or value == "" else inner(name, value)
    return _READERS[get_origin(hint) or hint]
