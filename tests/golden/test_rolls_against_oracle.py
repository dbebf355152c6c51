"""Roll calendars, and the prices made with them, against those of pysystemtrade from the same contract prices.

Dates and contracts must be the same; prices within 1e-9. By our own conventions the middle of each calendar is the
same: what they change is how it begins, how it ends, and on which row a roll is said to stand.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from oracle import DATA, PEER, found, needs_numbers

from trading.conventions import OURS, PYSYSTEMTRADE
from trading.objects.adjusted_prices import stitch
from trading.objects.contracts import DeliveryMonth
from trading.objects.multiple_prices import CONTRACT_COLUMNS, PRICE_COLUMNS, from_calendar, normalised
from trading.objects.roll_calendars import (
    CALENDAR_COLUMNS,
    adjusted_calendar,
    approximate_calendar,
    backed_out_calendar,
    check_calendar,
)
from trading.objects.rolls import RollParameters

pytestmark = needs_numbers
ROLLS, SUMMARY = PEER / "02_rolls", PEER / "01_panama" / "summary.json"
SUMMED_UP: dict[str, Any] = json.loads(SUMMARY.read_text()) if SUMMARY.is_file() else {}
each_instrument = pytest.mark.parametrize("file", found(ROLLS, "*_contract_prices.csv.gz"))


def code_of(file: Path) -> str:
    return file.name.removesuffix("_contract_prices.csv.gz").removesuffix("_backed_out_calendar.csv")


def closes_of(code: str) -> dict[DeliveryMonth, pd.Series]:
    """One close a business day of each contract, with all digits where the multiple prices they come from are there."""
    table = pd.read_csv(ROLLS / f"{code}_contract_prices.csv.gz", dtype={"contract": str}, index_col=0,
                        parse_dates=True)
    written = {DeliveryMonth.parse(label): rows["price"].sort_index() for label, rows in table.groupby("contract")}
    if not (DATA / "multiple_prices_csv" / f"{code}.csv").is_file():
        return written
    exact = closes_in(multiple_prices(code))
    for month, series in written.items():
        np.testing.assert_allclose(exact[month].reindex(series.index), series, rtol=1e-9, err_msg=str(month))
    return {month: exact[month].reindex(series.index) for month, series in written.items()}


def closes_in(multiple: pd.DataFrame) -> dict[DeliveryMonth, pd.Series]:
    columns = [multiple[[price, contract]].set_axis(["price", "contract"], axis=1)
               for price, contract in zip(PRICE_COLUMNS, CONTRACT_COLUMNS, strict=True)]
    table = pd.concat(columns).dropna()
    return {DeliveryMonth.parse(label): rows["price"].groupby(level=0).first().resample("1B").last()
            for label, rows in table.groupby("contract")}


def parameters_of(code: str) -> RollParameters:
    own = ROLLS / f"{code}_params.json"
    words: dict[str, Any] = (json.loads(own.read_text())[code] if own.is_file() else
                             SUMMED_UP[code]["rolls"]["params"])
    return RollParameters(hold_cycle=words["hold_rollcycle"], priced_cycle=words["priced_rollcycle"],
                          roll_offset_days=words["roll_offset_day"], carry_offset=words["carry_offset"],
                          expiry_offset_days=words["approx_expiry_offset"])


def expected_calendar(code: str, kind: str) -> pd.DataFrame:
    texts = dict.fromkeys(CALENDAR_COLUMNS, str)
    return pd.read_csv(ROLLS / f"{code}_{kind}_calendar.csv", dtype=texts, index_col=0, parse_dates=True)


def check_same(ours: pd.DataFrame, theirs: pd.DataFrame) -> None:
    assert ours.index.tolist() == theirs.index.tolist()
    for column in CALENDAR_COLUMNS:
        assert ours[column].tolist() == theirs[column].tolist(), column


@each_instrument
def test_approximate_calendars_equal_the_oracle(file: Path) -> None:
    code = code_of(file)
    ours = approximate_calendar(code, parameters_of(code), closes_of(code), PYSYSTEMTRADE)
    check_same(ours, expected_calendar(code, "approx"))


@each_instrument
def test_adjusted_calendars_equal_the_oracle(file: Path) -> None:
    code = code_of(file)
    closes = closes_of(code)
    ours = adjusted_calendar(code, expected_calendar(code, "approx"), closes, PYSYSTEMTRADE)
    check_same(ours, expected_calendar(code, "adjusted"))
    check_calendar(code, ours, closes)


@each_instrument
def test_multiple_prices_equal_the_oracle(file: Path) -> None:
    code = code_of(file)
    expected = pd.read_csv(ROLLS / f"{code}_multiple_from_calendar.csv.gz", index_col=0, parse_dates=True,
                           dtype=dict.fromkeys(CONTRACT_COLUMNS, str))
    ours = from_calendar(code, expected_calendar(code, "adjusted"), closes_of(code), parameters_of(code),
                         PYSYSTEMTRADE)
    assert ours.index.is_unique
    for column in PRICE_COLUMNS:
        np.testing.assert_allclose(ours[column][expected.index], expected[column], atol=1e-9, err_msg=column)
    for column in CONTRACT_COLUMNS:
        assert ours[column][expected.index].tolist() == expected[column].tolist(), column


@each_instrument
def test_adjusted_prices_of_the_calendar_equal_the_oracle(file: Path) -> None:
    code = code_of(file)
    expected = pd.read_csv(ROLLS / f"{code}_adjusted_from_calendar.csv.gz", index_col=0, parse_dates=True)["adj"]
    multiple = from_calendar(code, expected_calendar(code, "adjusted"), closes_of(code), parameters_of(code),
                             PYSYSTEMTRADE)
    np.testing.assert_allclose(stitch(code, multiple)[expected.index], expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("file", [file for file in found(ROLLS, "*_contract_prices.csv.gz")
                                  if code_of(file.values[0]) in SUMMED_UP])
def test_counts_and_sums_equal_the_oracle(file: Path) -> None:
    code = code_of(file)
    expected, closes, rolls = SUMMED_UP[code]["rolls"], closes_of(code), parameters_of(code)
    approximate = approximate_calendar(code, rolls, closes, PYSYSTEMTRADE)
    adjusted = adjusted_calendar(code, approximate, closes, PYSYSTEMTRADE)
    prices = stitch(code, from_calendar(code, adjusted, closes, rolls, PYSYSTEMTRADE))
    assert (len(closes), len(approximate), len(adjusted), len(prices)) == tuple(
        expected[name] for name in ("n_contracts", "n_approx", "n_adjusted", "n_multiple_built"))
    known = prices.dropna()
    assert (known.iloc[0], known.iloc[-1], known.sum()) == pytest.approx(
        [expected[name] for name in ("adj_first", "adj_last", "adj_sum")], rel=1e-9, abs=1e-9)


def multiple_prices(code: str) -> pd.DataFrame:
    return normalised(pd.read_csv(DATA / "multiple_prices_csv" / f"{code}.csv", index_col=0, parse_dates=True,
                                  dtype=dict.fromkeys(CONTRACT_COLUMNS, str)))


@pytest.mark.parametrize("file", found(ROLLS, "*_backed_out_calendar.csv"))
def test_calendars_backed_out_of_prices_equal_the_oracle(file: Path) -> None:
    code = code_of(file)
    ours = backed_out_calendar(code, multiple_prices(code), PYSYSTEMTRADE)
    check_same(ours, expected_calendar(code, "backed_out"))


@each_instrument
def test_our_conventions_change_only_the_ends_of_a_calendar(file: Path) -> None:
    code, closes = code_of(file), closes_of(code_of(file))
    theirs = expected_calendar(code, "adjusted")
    ours = adjusted_calendar(code, approximate_calendar(code, parameters_of(code), closes), closes)
    common = ours.index.intersection(theirs.index)
    check_same(ours.loc[common], theirs.loc[common])
    assert len(common) >= len(theirs) - 2
    prices = stitch(code, from_calendar(code, ours, closes, parameters_of(code), OURS))
    assert prices.last_valid_index() == closes[DeliveryMonth.parse(ours["next_contract"].iloc[-1])].index[-1]
