"""The path of a position through its buffer."""

import numpy as np
import pandas as pd
import pytest

from trading.systems.buffered_path import TradeTo, buffered_path


def path(optimal: list[float], half: float, to: TradeTo) -> list[float]:
    best = pd.Series(optimal)
    return buffered_path(best, best - half, best + half, to).tolist()


def test_inside_the_buffer_nothing_is_traded() -> None:
    assert path([5.0, 5.4, 4.6, 5.0], 0.5, TradeTo.EDGE) == [5.0] * 4


@pytest.mark.parametrize(("to", "expected"), [(TradeTo.EDGE, [5.0, 6.5, 6.5, 3.5]),
                                              (TradeTo.OPTIMUM, [5.0, 7.0, 7.0, 3.0])])
def test_outside_it_is_traded_to_the_edge_or_to_the_optimum(to: TradeTo, expected: list[float]) -> None:
    assert path([5.0, 7.0, 6.8, 3.0], 0.5, to) == expected


def test_an_unknown_day_changes_nothing() -> None:
    assert path([5.0, np.nan, 5.0], 0.5, TradeTo.EDGE) == [5.0] * 3


def test_a_path_that_begins_unknown_begins_with_nothing() -> None:
    assert path([np.nan, 2.0], 0.5, TradeTo.OPTIMUM) == [0.0, 2.0]


def test_a_short_position_has_its_edges_in_order() -> None:
    assert path([-5.0, -7.0, -3.0], 0.5, TradeTo.EDGE) == [-5.0, -6.5, -3.5]


def test_no_days_are_no_path() -> None:
    assert path([], 0.5, TradeTo.EDGE) == []
