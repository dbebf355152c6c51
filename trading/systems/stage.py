"""SystemStage: one step of a system, with a name, the stages that it stands on, and a cache for what it computes."""

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, TypeVar

import pandas as pd

if TYPE_CHECKING:
    from trading.systems.system import System

Value = TypeVar("Value", pd.Series, pd.DataFrame)


class SystemStage:
    """A stage knows its system from the moment that the system is built."""

    name: ClassVar[str]
    needs: ClassVar[tuple[str, ...]] = ()

    system: "System"

    def kept(self, item: str, code: str, compute: Callable[[], Value]) -> Value:
        """The value of `item` for `code`, computed once.

        A caller may change what it receives: with pandas' copy on write the kept value stays as it was.
        """
        return self.system.cache.get((self.system.config_key, self.name, item, code), compute).copy(deep=False)
