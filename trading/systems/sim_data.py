"""What a system sees of the market. The same Protocol in backtest, replay and production."""

from typing import Protocol

import pandas as pd

from trading.objects.instruments import Instrument


class SimData(Protocol):
    """Prices with a sorted, unique UTC index."""

    def look_again(self) -> None:
        """From now on answers may be others than before; until then they stay the same."""

    def instrument_codes(self) -> tuple[str, ...]:
        """Every instrument that has prices."""

    def instrument(self, code: str) -> Instrument:
        """What is configured about `code`."""

    def rolls_per_year(self, code: str) -> int:
        """How often the held contract of `code` changes."""

    def adjusted_prices(self, code: str) -> pd.Series:
        """Back-adjusted prices at their own times."""

    def multiple_prices(self, code: str) -> pd.DataFrame:
        """See trading.objects.multiple_prices."""

    def fx(self, currency: str, base: str) -> pd.Series:
        """The value of one unit of `currency` in `base`."""
