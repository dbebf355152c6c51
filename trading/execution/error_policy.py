"""What the broker's error codes mean: a versioned table, read from data (error_codes.yaml beside this file). Pure.

A library that turns a code into an order's end has cost real money (fifteen orders for one lot, code 10349); so a code
ends an order only if the table says so, and every other one proves nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from trading.errors import ConfigError


class CodeMeaning(StrEnum):
    """The classes of the table."""

    INFO = "INFO"
    REJECTS_NEW = "REJECTS_NEW"
    PRECAUTION = "PRECAUTION"
    REJECTS_ALGO = "REJECTS_ALGO"
    REJECTS_CHANGE = "REJECTS_CHANGE"
    REJECTS_CANCEL = "REJECTS_CANCEL"
    REJECTED = "REJECTED"
    CANCELLED = "CANCELLED"
    RISK = "RISK"
    LINK_LOST = "LINK_LOST"
    LINK_RESTORED = "LINK_RESTORED"
    CLIENT_ID_IN_USE = "CLIENT_ID_IN_USE"
    TOO_FAST = "TOO_FAST"
    AMBIGUOUS = "AMBIGUOUS"  # not listed


@dataclass(frozen=True, kw_only=True)
class ErrorPolicy:
    """One version of the table."""

    version: int
    meanings: Mapping[int, CodeMeaning] = field(default_factory=dict)

    def of(self, code: int) -> CodeMeaning:
        """What `code` means."""
        return self.meanings.get(code, CodeMeaning.AMBIGUOUS)


def error_policy(values: Any, where: str) -> ErrorPolicy:
    """The policy that a table says; `where` names it in errors.

    Raises:
        ConfigError: not a table of this form, an unknown class, or a code in two classes.
    """
    if not isinstance(values, dict) or not isinstance(values.get("version"), int) or not isinstance(
            values.get("codes"), dict):
        raise ConfigError(f"{where} must have a number as version, and codes: a list of codes for each class.")
    meanings: dict[int, CodeMeaning] = {}
    for name, codes in values["codes"].items():
        for code in _checked(name, codes, where):
            if code in meanings:
                raise ConfigError(f"{where}: code {code} is both {meanings[code]} and {name}.")
            meanings[code] = CodeMeaning(name)
    return ErrorPolicy(version=values["version"], meanings=meanings)


def _checked(name: str, codes: Any, where: str) -> list[int]:
    allowed = [each for each in CodeMeaning if each is not CodeMeaning.AMBIGUOUS]
    if name not in allowed:
        raise ConfigError(f"{where}: there is no class {name!r}. Allowed: {', '.join(allowed)}.")
    if not isinstance(codes, list) or not all(isinstance(code, int) for code in codes):
        raise ConfigError(f"{where}: {name} must be a list of numbers.")
    return codes
