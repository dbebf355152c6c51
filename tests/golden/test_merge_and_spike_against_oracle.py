"""How new prices join stored ones, and which are refused, against pysystemtrade's cases."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from oracle import PEER, found_in, needs_numbers

from trading.conventions import PYSYSTEMTRADE
from trading.objects.price_merge import LabelledPrices, corrected, extended, gaps_filled, newer_than
from trading.objects.price_spikes import MAX_SPIKE, PriceSpike, moves_in_averages

pytestmark = needs_numbers
CASES = PEER / "12_merge_spike" / "cases.json"
MERGES = found_in(CASES, "merge")


def series(values: dict[str, float | None]) -> pd.Series:
    return pd.Series(list(values.values()), index=pd.to_datetime(list(values)), dtype=float)


@pytest.mark.parametrize("case", found_in(CASES, "spike"))
def test_prices_are_joined_or_refused_as_by_the_oracle(case: dict[str, Any]) -> None:
    old, new = series(case["old"]), series(case["new"])
    if case["is_spike"]:
        with pytest.raises(PriceSpike) as refusal:
            extended("X", old, new, PYSYSTEMTRADE)
        assert refusal.value.stamp == pd.Timestamp(case["spike_date"])
    else:
        merged = extended("X", old, new, PYSYSTEMTRADE)
        assert len(merged) == case["merged_n"]
        assert merged.head(len(old)).equals(old)
    status = {(True, True): "Merged_data", (True, False): "Only_Old_data", (False, True): "Only_New_data"}
    assert status[len(old) > 0, len(newer_than(old, new)) > 0] == case["status"]


@pytest.mark.parametrize("case", [case for case in found_in(CASES, "spike")
                                  if case.values[0].get("change_in_avg_units")])
def test_moves_in_units_of_their_average_equal_the_oracle(case: dict[str, Any]) -> None:
    expected = series(case["change_in_avg_units"])
    old, new = series(case["old"]), series(case["new"])
    joined = pd.concat([part for part in (old, newer_than(old, new)) if len(part)])
    np.testing.assert_allclose(moves_in_averages(joined)[expected.index], expected, rtol=1e-9)
    assert MAX_SPIKE == 8


@pytest.mark.parametrize("case", [case for case in MERGES if case.values[0]["fn"] == "full_merge_of_existing_series"])
def test_repairs_equal_the_oracle(case: dict[str, Any]) -> None:
    old, new = series(case["old"]), series(case["new"])
    merged = gaps_filled("X", old, new) if case["keep_older"] else corrected("X", old, new, PYSYSTEMTRADE)
    pd.testing.assert_series_equal(merged, series(case["result"]), check_freq=False, check_index_type=False)


@pytest.mark.parametrize("case", [case for case in MERGES
                                  if case.values[0]["fn"] == "merge_data_series_with_label_column"])
def test_prices_with_contracts_are_merged_as_by_the_oracle(case: dict[str, Any]) -> None:
    merged = labelled(case["old"]).merged("X", labelled(case["new"]))
    expected = labelled(case["result"])
    np.testing.assert_array_equal(merged.prices, expected.prices)
    assert merged.labels.tolist() == expected.labels.tolist()


def labelled(rows: list[list[Any]]) -> LabelledPrices:
    """Rows such as ["a2", 7.0, "b"]: a place in an order, a price, a contract."""
    stamps = pd.to_datetime([f"2021-01-{int(place[1:]):02d}" for place, _, _ in rows])
    return LabelledPrices(pd.Series([price for _, price, _ in rows], index=stamps, dtype=float),
                          pd.Series([label for _, _, label in rows], index=stamps, dtype=object))
