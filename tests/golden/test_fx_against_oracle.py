"""Rates and crosses against those of pysystemtrade from the same files; where it says nothing, neither do we."""

from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from oracle import DATA, PEER, found, needs_numbers

from trading.data.csv.pysystemtrade import PysystemtradeFolder
from trading.objects.fx_prices import FxPrices, rate

pytestmark = needs_numbers
ZONE = ZoneInfo("Europe/London")


@cache
def stored(pair: str) -> FxPrices:
    source = PysystemtradeFolder(DATA, ZONE)
    file = source.files("fx_prices_csv").get(pair)
    return FxPrices(pair, pd.Series(dtype=float) if file is None else source.fx_prices(file).frame["PRICE"])


@pytest.mark.parametrize("file", found(PEER / "09_fx", "*.csv.gz"))
def test_rates_equal_the_oracle(file: Path) -> None:
    pair = file.name.removesuffix(".csv.gz")
    expected = pd.read_csv(file, index_col=0, parse_dates=True)[pair]
    ours = rate(pair[:3], pair[3:], stored)
    if pair[:3] == pair[3:]:  # of theirs there is one a business day until the day they were computed
        assert set(ours) == set(expected) == {1.0}
        return
    ours = ours.set_axis(pd.DatetimeIndex(ours.index).tz_convert(ZONE).tz_localize(None))
    np.testing.assert_allclose(ours.reindex(expected.index), expected, rtol=1e-9, equal_nan=True)


@pytest.mark.parametrize("file", found(PEER / "09_fx", "summary.json"))
def test_whole_series_equal_the_oracle_in_sum(file: Path) -> None:
    for pair, expected in pd.read_json(file, orient="index").iterrows():
        ours = rate(str(pair)[:3], str(pair)[3:], stored)
        assert ours.mean() == pytest.approx(expected["mean"], rel=1e-9), pair
        assert ours.iloc[-1] == pytest.approx(expected["last"], rel=1e-9), pair
        assert len(ours) == expected["n"] - expected["nan"] or len(ours) == 1, pair
