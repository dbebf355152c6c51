"""One instrument with broken data must not touch the others."""

from dataclasses import replace

import pandas as pd
import pytest
from made_market import MadeSimData, a_system, wandering

from trading.errors import DataError
from trading.systems.portfolio import Portfolio


class WithoutRate(MadeSimData):
    """The rate of B's currency is not known."""

    def instrument(self, code: str) -> "object":
        return replace(super().instrument(code), currency="XYZ" if code == "B" else "USD")

    def fx(self, currency: str, base: str) -> pd.Series:
        if currency == "XYZ":
            raise DataError("There are no rates XYZUSD")
        return super().fx(currency, base)


def test_the_others_trade_at_their_own_share_and_the_broken_one_is_named() -> None:
    whole = a_system(MadeSimData({"A": wandering(), "B": wandering()})).stage(Portfolio)
    broken = a_system(WithoutRate({"A": wandering(), "B": wandering()})).stage(Portfolio)
    assert broken.optimal_position("A").optimal == pytest.approx(whole.optimal_position("A").optimal, rel=0.02)
    with pytest.raises(DataError, match="There are no rates XYZUSD"):
        broken.optimal_position("B")
