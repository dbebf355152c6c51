"""Frozen facts as plain documents, and back, strictly: a missing, unknown or wrongly typed field refuses the whole.

Reading never invents: no default, no "now", no new id; who cannot be read is told, and never skipped.
Prices are texts, so that no digit is lost; sets are sorted lists; times are aware.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal, InvalidOperation
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, Final, TypeVar, get_args, get_origin, get_type_hints

from trading.errors import DataError

Fact = TypeVar("Fact")
Document = dict[str, Any]
Convert = Callable[[Any], Any]


class Unreadable(DataError):
    """A stored document is not what it should be; nothing that depends on it goes on."""


@dataclass(frozen=True)
class _Codec:
    write: Convert
    read: Convert


def to_document(fact: Any) -> Document:
    """The fields of a frozen dataclass as a document of plain values."""
    return {name: codec.write(getattr(fact, name)) for name, codec in _fields_of(type(fact)).items()}


def from_document(kind: type[Fact], document: Mapping[str, Any]) -> Fact:
    """The `kind` that `document` holds.

    Raises:
        Unreadable: a field is missing, unknown, or not of its type; the message names it.
    """
    codecs = _fields_of(kind)
    _refuse_other_fields(kind, codecs.keys(), document)
    values = {}
    for name, codec in codecs.items():
        try:
            values[name] = codec.read(document[name])
        except (TypeError, ValueError, InvalidOperation) as error:
            raise Unreadable(f"A stored {kind.__name__} is wrong at {name}: {error}. Nothing was assumed; restore "
                             f"the document or correct this field.") from error
    return kind(**values)


def _refuse_other_fields(kind: type, known: Any, document: Mapping[str, Any]) -> None:
    missing, unknown = sorted(known - document.keys()), sorted(document.keys() - known)
    if missing or unknown:
        told = [f"lacks {', '.join(missing)}"] * bool(missing) + [f"has unknown {', '.join(unknown)}"] * bool(unknown)
        raise Unreadable(f"A stored {kind.__name__} {' and '.join(told)}. Nothing was assumed; was it written by "
                         f"another version?")


def _fields_of(kind: Any) -> dict[str, _Codec]:
    return _codecs(kind)


@cache
def _codecs(kind: Any) -> dict[str, _Codec]:
    hints = get_type_hints(kind)
    return {each.name: _codec(hints[each.name]) for each in fields(kind)}


@cache
def _codec(hint: Any) -> _Codec:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is UnionType or NoneType in arguments:
        return _optional(_codec(next(each for each in arguments if each is not NoneType)))
    if origin in (tuple, frozenset):
        return _many(origin, _codec(arguments[0]))
    if origin is dict:
        return _Codec(dict, lambda value: dict(_of(dict, value)))
    return _PLAIN[hint] if hint in _PLAIN else _of_our_own(hint)


def _of_our_own(kind: Any) -> _Codec:
    if issubclass(kind, Enum):
        return _Codec(lambda value: value.value, kind)
    return _Codec(to_document, lambda value: from_document(kind, _of(dict, value)))


def _many(kind: Any, inner: _Codec) -> _Codec:
    """A tuple keeps its order; a set is written sorted."""
    arranged = sorted if kind is frozenset else list
    return _Codec(lambda values: arranged([inner.write(each) for each in values]),
                  lambda values: kind(inner.read(each) for each in _of(list, values)))


def _optional(codec: _Codec) -> _Codec:
    return _Codec(lambda value: None if value is None else codec.write(value),
                  lambda value: None if value is None else codec.read(value))


def _of(kind: type, value: Any) -> Any:
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise ValueError(f"{value!r} is no {kind.__name__}")
    return value


def _decimal(value: Any) -> Decimal:
    price = Decimal(_of(str, value))
    if not price.is_finite():
        raise ValueError(f"{value!r} is no finite number")
    return price


def _aware(value: Any) -> datetime:
    if _of(datetime, value).tzinfo is None:
        raise ValueError(f"{value!r} has no zone")
    return value  # type: ignore[no-any-return]  # _of has proven it


_PLAIN: Final[dict[Any, _Codec]] = {
    int: _Codec(lambda value: value, lambda value: int(_of(int, value))),
    str: _Codec(lambda value: value, lambda value: _of(str, value)),
    bool: _Codec(lambda value: value, lambda value: _of(bool, value)),
    float: _Codec(lambda value: value, lambda value: float(_of(float, value))),
    Decimal: _Codec(str, _decimal),
    datetime: _Codec(lambda value: value, _aware),
}
