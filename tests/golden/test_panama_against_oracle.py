"""Panama-adjusted prices against those that pysystemtrade stitched from the same multiple prices, and published."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from oracle import DATA, PEER, found, needs_numbers

from trading.objects.adjusted_prices import roll_gaps, stitch
from trading.objects.contracts import DeliveryMonth
from trading.objects.multiple_prices import CONTRACT_COLUMNS, normalised

pytestmark = needs_numbers
PANAMA = PEER / "01_panama"


def code_of(file: Path) -> str:
    return file.name.split(".csv")[0].removesuffix("_rollgaps.json")


def multiple_prices(code: str) -> pd.DataFrame:
    """As in the file, on naive local times."""
    texts = dict.fromkeys(CONTRACT_COLUMNS, str)
    return normalised(pd.read_csv(DATA / "multiple_prices_csv" / f"{code}.csv", dtype=texts, index_col=0,
                                  parse_dates=True))


@pytest.mark.parametrize("file", found(PANAMA, "*.csv.gz"))
def test_stitched_prices_equal_the_oracle(file: Path) -> None:
    expected = pd.read_csv(file, index_col=0, parse_dates=True)["stitched"]
    ours = stitch(code_of(file), multiple_prices(code_of(file)))
    np.testing.assert_allclose(ours[expected.index], expected, rtol=1e-9, atol=1e-9, equal_nan=True)


@pytest.mark.parametrize("file", found(PANAMA, "*_rollgaps.json"))
def test_every_roll_and_its_gap_equal_the_oracle(file: Path) -> None:
    expected, multiple = json.loads(file.read_text()), multiple_prices(code_of(file))
    gaps = roll_gaps(code_of(file), multiple)
    assert [str(stamp) for stamp in gaps.index] == [roll["prev"] for roll in expected]
    np.testing.assert_allclose(gaps, [roll["gap"] for roll in expected], atol=1e-9)
    labels = multiple["PRICE_CONTRACT"]
    assert labels[gaps.index].tolist() == [str(DeliveryMonth.parse(roll["old"])) for roll in expected]
    assert labels[[roll["new"] for roll in expected]].tolist() == [roll["to"] for roll in expected]


@pytest.mark.parametrize("file", found(PANAMA, "*.csv.gz"))
def test_the_sums_over_all_rows_equal_the_oracle(file: Path) -> None:
    expected: dict[str, Any] = json.loads((PANAMA / "summary.json").read_text())[code_of(file)]
    multiple = multiple_prices(code_of(file))
    ours, gaps = stitch(code_of(file), multiple), roll_gaps(code_of(file), multiple)
    assert (len(multiple), len(ours), len(gaps)) == (
        expected["n_multiple"], expected["n_stitched"], expected["n_rolls"])
    assert int(ours.isna().sum()) == expected["n_nan"]
    found = (ours.dropna().iloc[0], ours.dropna().iloc[-1], ours.sum(), gaps.sum())
    assert found == pytest.approx([expected[name] for name in ("first", "last", "sum", "sum_roll_gaps")], rel=1e-9,
                                  abs=1e-9)


@pytest.mark.parametrize("file", found(DATA / "adjusted_prices_csv", "*.csv"))
def test_stitched_prices_equal_the_published_ones(file: Path) -> None:
    published = pd.read_csv(file, index_col=0, parse_dates=True)["price"].dropna()
    ours = stitch(code_of(file), multiple_prices(code_of(file))).dropna()
    common = published.index.intersection(ours.index)
    assert len(common) > 0.9 * len(published)
    np.testing.assert_allclose(ours[common], published[common], atol=1e-9)
