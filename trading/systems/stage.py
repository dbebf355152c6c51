"""SystemStage: one step of a system, with a name, the stages that it stands on, and a cache for what it computes."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, ClassVar, TypeVar, cast

import pandas as pd

from trading.errors import DataError

if TYPE_CHECKING:
    from trading.systems.system import System

Value = TypeVar("Value")


class SystemStage:
    """A stage knows its system from the moment that the system is built."""

    name: ClassVar[str]
    needs: ClassVar[tuple[str, ...]] = ()

    system: "System"

    def get_item(self, item: str, code: str, compute: Callable[[], Value]) -> Value:
        """The value of `item` for `code`, computed once, and again when something that `compute` asked for has changed.

        What it needs must be asked for inside `compute`: what was fetched before is not known to matter. A caller may
        change what it receives: with pandas' copy on write the kept value stays as it was.
        """
        return _own(self.system.cache.get_item(self._key(item, code), compute))

    def get_interim(self, item: str, code: str, compute: Callable[[], Value]) -> Value:
        """The same of something large that only leads to other items: it makes room first."""
        return _own(self.system.cache.get_interim(self._key(item, code), compute))

    def of_each(self, compute: Callable[[str], Value], codes: Iterable[str] | None = None) -> dict[str, Value]:
        """What `compute` says of all instruments, or of `codes`; one with broken data says why when asked itself."""
        found = {}
        for code in self.system.instrument_codes() if codes is None else codes:
            try:
                found[code] = compute(code)
            except DataError:
                continue
        return found

    def _key(self, item: str, code: str) -> tuple[str, ...]:
        return self.system.config_key, self.name, item, code


def _own(value: Value) -> Value:
    return cast(Value, value.copy(deep=False)) if isinstance(value, (pd.Series, pd.DataFrame)) else value
