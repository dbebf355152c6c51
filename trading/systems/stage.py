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

    def kept(self, item: str, code: str, compute: Callable[[], Value]) -> Value:
        """The value of `item` for `code`, computed once, and again when something that `compute` asked for has changed.

        What it needs must be asked for inside `compute`: what was fetched before is not known to matter.
        A caller may change what it receives: with pandas' copy on write the kept value stays as it was.
        """
        value = self.system.cache.get((self.system.config_key, self.name, item, code), compute)
        return cast(Value, value.copy(deep=False)) if isinstance(value, (pd.Series, pd.DataFrame)) else value

    def of_each(self, compute: Callable[[str], Value], codes: Iterable[str] | None = None) -> dict[str, Value]:
        """What `compute` says of all instruments, or of `codes`; one with broken data says why when asked itself."""
        found = {}
        for code in self.system.instrument_codes() if codes is None else codes:
            try:
                found[code] = compute(code)
            except DataError:
                continue
        return found
