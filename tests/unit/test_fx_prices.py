"""Rates of any pair from pairs against the dollar: consistent with each other, and never made of nothing."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.errors import DataError
from trading.objects.fx_prices import FxPrices, rate

RATES = st.dictionaries(st.integers(0, 40), st.floats(0.01, 100), min_size=1, max_size=20)


def series(values: dict[int, float]) -> pd.Series:
    index = pd.Timestamp("2021-01-01", tz="UTC") + pd.to_timedelta(sorted(values), unit="D")
    return pd.Series([values[day] for day in sorted(values)], index=pd.DatetimeIndex(index), dtype=float)


class Stored:
    """Pairs in memory."""

    def __init__(self, **pairs: pd.Series) -> None:
        self._pairs = pairs

    def __call__(self, pair: str) -> FxPrices:
        return FxPrices(pair, self._pairs.get(pair, pd.Series(dtype=float)))


@given(RATES, RATES, RATES)
def test_a_way_over_a_third_currency_is_the_direct_one(eur: dict[int, float], gbp: dict[int, float],
                                                       jpy: dict[int, float]) -> None:
    stored = Stored(EURUSD=series(eur), GBPUSD=series(gbp), JPYUSD=series(jpy))
    first, second, direct = rate("EUR", "GBP", stored), rate("GBP", "JPY", stored), rate("EUR", "JPY", stored)
    common = first.index.intersection(second.index).intersection(direct.index)
    np.testing.assert_allclose(first[common] * second[common], direct[common], rtol=1e-12)


@given(RATES, RATES)
def test_there_and_back_is_one(eur: dict[int, float], gbp: dict[int, float]) -> None:
    stored = Stored(EURUSD=series(eur), GBPUSD=series(gbp))
    for one, other in (("EUR", "USD"), ("USD", "GBP"), ("EUR", "GBP")):
        there, back = rate(one, other, stored), rate(other, one, stored)
        np.testing.assert_allclose(there * back, 1.0, rtol=1e-12)
        assert there.index.equals(back.index)


def test_a_cross_uses_the_newest_of_each_pair_and_begins_when_both_are_known() -> None:
    stored = Stored(EURUSD=series({1: 1.2, 3: 1.5}), GBPUSD=series({2: 1.6, 4: 2.0}))
    cross = rate("EUR", "GBP", stored)
    assert [stamp.day for stamp in cross.index] == [3, 4, 5]
    assert cross.tolist() == pytest.approx([1.2 / 1.6, 1.5 / 1.6, 1.5 / 2.0])


@pytest.mark.parametrize("currency", ["USD", "EUR", "XXX"])
def test_a_currency_in_itself_is_one_for_ever(currency: str) -> None:
    assert rate(currency, currency, Stored()).to_dict() == {pd.Timestamp("1970-01-01", tz="UTC"): 1.0}


@pytest.mark.parametrize(("currency", "base", "missing"), [
    ("XXX", "USD", "XXXUSD"), ("USD", "XXX", "XXXUSD"), ("XXX", "EUR", "XXXUSD"), ("EUR", "XXX", "XXXUSD")])
def test_an_unknown_currency_is_named(currency: str, base: str, missing: str) -> None:
    with pytest.raises(DataError, match=rf"no rates {missing}; XXX cannot be valued in USD. Import them, or add"):
        rate(currency, base, Stored(EURUSD=series({1: 1.0})))


@pytest.mark.parametrize(("rates", "complaint"), [
    (series({1: 1.0, 2: 0.0}), "EURUSD: the rate at 2021-01-03 .* is not above zero"),
    (series({1: -1.0}), "EURUSD: the rate at 2021-01-02 .* is not above zero"),
    (series({1: np.inf}), "EURUSD: the price at 2021-01-02 .* is infinite"),
    (series({1: 1.0}).iloc[[0, 0]], "EURUSD: 2021-01-02 .* is there twice"),
    (series({1: 1.0, 2: 1.0}).iloc[::-1], "EURUSD: the rows are not in order of time"),
    (series({1: np.nan}), "There are no rates EURUSD")])
def test_unsound_rates_value_nothing(rates: pd.Series, complaint: str) -> None:
    for currency, base in (("EUR", "USD"), ("USD", "EUR"), ("EUR", "GBP")):
        with pytest.raises(DataError, match=complaint):
            rate(currency, base, Stored(EURUSD=rates, GBPUSD=series({1: 1.0})))


def test_a_missing_rate_is_bridged_by_the_one_before() -> None:
    assert rate("EUR", "USD", Stored(EURUSD=series({1: 1.0, 2: np.nan, 3: 2.0}))).tolist() == [1.0, 2.0]


def test_pairs_on_two_kinds_of_clock_make_no_cross() -> None:
    stored = Stored(EURUSD=series({1: 1.0}), GBPUSD=series({1: 1.0}).tz_localize(None))
    with pytest.raises(DataError, match="EURGBP: some of the rows have a time zone and some have none"):
        rate("EUR", "GBP", stored)


def test_an_infinite_new_rate_is_refused() -> None:
    with pytest.raises(DataError, match=r"EURUSD: the price at .* is infinite"):
        FxPrices("EURUSD", series({1: 1.0})).newer_than_ours(series({2: np.inf}))
