"""Reads the fields of one client message in order, each as what it should be. Pure."""

import math
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Final

from trading.errors import BrokerError

UNSET_INTEGERS: Final = frozenset({2**31 - 1, 2**63 - 1})
UNSET_DOUBLE: Final = 1.797e308  # Java's and Python's spelling of the largest double both lie above


class MalformedField(BrokerError):
    """A client message lacks a field, or a field is no number."""

    def __init__(self, name: str, found: str) -> None:
        super().__init__(f"Error reading request. Field {name}: {found}.", code=320)


class FieldReader:
    """A cursor over the fields of one message; unset values read as None."""

    def __init__(self, fields: Sequence[str]) -> None:
        self._fields = fields
        self._at = 0

    def text(self, name: str) -> str:
        if self._at >= len(self._fields):
            raise MalformedField(name, "the message ends before it")
        self._at += 1
        return self._fields[self._at - 1]

    def integer(self, name: str) -> int:
        value = self.optional_integer(name)
        if value is None:
            raise MalformedField(name, "a whole number is required")
        return value

    def optional_integer(self, name: str) -> int | None:
        text = self.text(name)
        if text == "":
            return None
        try:
            value = int(text)
        except ValueError:
            raise MalformedField(name, f"{text!r} is no whole number") from None
        return None if value in UNSET_INTEGERS else value

    def optional_decimal(self, name: str) -> Decimal | None:
        text = self.text(name)
        if text == "":
            return None
        try:
            value = Decimal("Infinity" if text == "Infinite" else text)
        except InvalidOperation:
            raise MalformedField(name, f"{text!r} is no number") from None
        return None if value.is_nan() or _is_unset(value) else value

    def flag(self, name: str) -> bool:
        """1, true or any other number but zero is yes; empty and 0 are no."""
        return self.text(name).lower() not in ("", "0", "false")

    def skip(self, name: str, count: int = 1) -> None:
        for _ in range(count):
            self.text(name)

    def count(self, name: str) -> int:
        """How many items follow; an empty field means none."""
        number = self.optional_integer(name) or 0
        if not 0 <= number <= len(self._fields):
            raise MalformedField(name, f"{number} items cannot follow")
        return number

    def rest(self) -> tuple[str, ...]:
        """All fields that nobody has read; reading them ends the message."""
        left = tuple(self._fields[self._at:])
        self._at = len(self._fields)
        return left


def _is_unset(value: Decimal) -> bool:
    return value.is_finite() and not math.isinf(float(value)) and float(value) >= UNSET_DOUBLE
