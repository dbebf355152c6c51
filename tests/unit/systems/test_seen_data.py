"""Data that no system should compute with are refused with the instrument's name, and stop no other."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from made_market import MadeSimData, a_system, multiple, wandering

from trading.errors import DataError
from trading.systems.accounts import Accounts
from trading.systems.portfolio import Portfolio

GOOD = wandering(300)
Broken = Callable[[pd.Series], pd.Series]
WRONG: dict[str, tuple[Broken, str]] = {
    "unsorted": (lambda prices: prices[::-1], "B"),
    "repeated": (lambda prices: pd.concat([prices, prices.tail(1)]), "B"),
    "infinite": (lambda prices: prices.where(prices.index != prices.index[50], np.inf), "B"),
    "without a zone": (lambda prices: prices.tz_localize(None), "B: the rows have no times in UTC. Convert the index"),
    "numbered": (lambda prices: prices.reset_index(drop=True), "B")}


@pytest.mark.parametrize("kind", WRONG)
def test_wrong_prices_are_refused_by_name_and_stop_no_other(kind: str) -> None:
    broken, said = WRONG[kind]
    system = a_system(MadeSimData({"A": GOOD, "B": broken(GOOD)}, {"B": multiple(GOOD, GOOD + 0.5)}))
    with pytest.raises(DataError, match=said):
        system.stage(Portfolio).optimal_position("B")
    assert system.stage(Portfolio).optimal_position("A").optimal != 0
    assert set(system.stage(Accounts).left_out()) == {"B"}


def test_wrong_multiple_prices_are_refused_by_name() -> None:
    table = multiple(GOOD, GOOD + 0.5)
    for wrong, said in ((table.drop(columns="CARRY"), "B: its multiple prices lack the columns CARRY. Add them."),
                        (table[::-1], "B, PRICE"), (table.assign(CARRY=np.inf), "B, CARRY")):
        system = a_system(MadeSimData({"A": GOOD, "B": GOOD}, {"B": wrong}))
        with pytest.raises(DataError, match=said):
            system.stage(Portfolio).optimal_position("B")
        assert system.stage(Portfolio).optimal_position("A").optimal != 0
