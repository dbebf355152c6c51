"""What a position was computed from has a name that changes with it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from made_market import MadeSimData, a_system, prices, wandering

from trading.errors import DataError
from trading.systems.provenance import data_version, provenance_of


@dataclass
class Rolled(MadeSimData):
    """Rolled as often as it is said; None: nobody has said it."""

    rolls: int | None = 4

    def rolls_per_year(self, code: str) -> int:
        if self.rolls is None:
            raise DataError(f"{code} has no roll parameters")
        return self.rolls


def test_the_same_data_and_settings_have_the_same_name() -> None:
    first, again = (a_system(MadeSimData({"A": wandering()})) for _ in range(2))
    assert provenance_of("run", first.config, first.data, "A") == provenance_of("run", again.config, again.data, "A")


def test_another_setting_another_name() -> None:
    data = MadeSimData({"A": wandering()})
    names = {provenance_of("run", a_system(data, buffer_size=size).config, data, "A").config for size in (0.1, 0.2)}
    assert len(names) == 2


def test_a_price_more_or_another_price_is_other_data() -> None:
    closes = wandering()
    changed = closes.copy()
    changed.iloc[50] += 0.01
    versions = {data_version(MadeSimData({"A": each}), "A", "USD") for each in (closes, closes.iloc[:-1], changed)}
    assert len(versions) == 3


@pytest.mark.parametrize("other", [
    {"point_size": 20.0}, {"slippage": 0.01}, {"rates": {"EUR": prices(np.full(200, 1.2))}}, {"rolls": 12},
    {"rolls": None}])
def test_another_rate_another_setting_or_other_rolls_are_other_data(other: dict[str, Any]) -> None:
    facts: dict[str, Any] = {"currency": "EUR", "rates": {"EUR": prices(np.full(200, 1.1))}}
    before, after = (Rolled({"A": wandering()}, **each) for each in (facts, facts | other))
    assert data_version(before, "A", "USD") != data_version(after, "A", "USD")


def test_prices_of_another_instrument_are_not_its_data() -> None:
    versions = {data_version(MadeSimData({"A": wandering(), "B": wandering(level=level)}), "A", "USD")
                for level in (50.0, 60.0)}
    assert len(versions) == 1
