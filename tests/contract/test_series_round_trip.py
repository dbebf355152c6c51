"""Any frame that may be stored comes back as it was, in one piece or in many, with any repetition."""

from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ulid import ULID

from trading.data.mongo.connection import MongoStore
from trading.data.mongo.prices import MongoFxPrices
from trading.data.mongo.series import MongoSeries
from trading.errors import DataError

COLUMNS = ("PRICE", "LABEL")
FEW = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
DAY_MS = 86_400_000


@st.composite
def frames(draw: st.DrawFn) -> pd.DataFrame:
    """Rows of several years, any finite or missing price, any text."""
    stamps = draw(st.lists(st.integers(0, 3 * 366 * DAY_MS), unique=True, min_size=1, max_size=30))
    start = 18_000 * DAY_MS  # April 2019
    index = pd.to_datetime([start + stamp for stamp in sorted(stamps)], unit="ms", utc=True).as_unit("ms")
    size = len(stamps)
    prices = draw(st.lists(st.floats(allow_infinity=False), min_size=size, max_size=size))
    labels = draw(st.lists(st.text(st.characters(codec="utf-8"), max_size=8), min_size=size, max_size=size))
    return pd.DataFrame({"PRICE": pd.Series(prices, index, dtype="float64"),
                         "LABEL": pd.Series(labels, index, dtype="str")})


def assert_same(stored: pd.DataFrame, frame: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(stored, frame, check_freq=False, check_dtype=False, check_index_type=False,
                                  check_exact=True)


def a_series(store: MongoStore) -> MongoSeries:
    return MongoSeries(store.database.multiple_prices, COLUMNS)


@FEW
@given(frame=frames())
def test_what_is_appended_is_loaded(store: MongoStore, frame: pd.DataFrame) -> None:
    series, key = a_series(store), str(ULID())
    assert series.append(key, frame) == len(frame)
    assert_same(series.load(key), frame)
    assert series.last_stamp(key) == frame.index[-1]


@FEW
@given(frame=frames(), data=st.data())
def test_appending_in_pieces_that_overlap_is_appending_once(store: MongoStore, frame: pd.DataFrame,
                                                            data: st.DataObject) -> None:
    series, key = a_series(store), str(ULID())
    cuts = sorted(data.draw(st.lists(st.integers(0, len(frame)), max_size=4)))
    added = sum(series.append(key, frame.iloc[:cut]) for cut in (*cuts, len(frame), len(frame)))
    assert added == len(frame)
    assert_same(series.load(key), frame)


@FEW
@given(old=frames(), new=frames())
def test_a_replaced_series_is_the_new_one(store: MongoStore, old: pd.DataFrame, new: pd.DataFrame) -> None:
    series, key = a_series(store), str(ULID())
    series.append(key, old)
    series.replace(key, new)
    assert_same(series.load(key), new)


def test_a_series_that_was_never_stored_is_empty_with_its_columns(store: MongoStore) -> None:
    frame = a_series(store).load("nothing")
    assert frame.empty
    assert tuple(frame.columns) == COLUMNS
    assert str(pd.DatetimeIndex(frame.index).tz) == "UTC"
    assert a_series(store).last_stamp("nothing") is None


def plain(count: int) -> pd.DataFrame:
    index = pd.date_range("2021-12-31", periods=count, freq="D", tz="UTC")
    return pd.DataFrame({"PRICE": range(count), "LABEL": ["x"] * count}, index=index).astype({"PRICE": float})


@pytest.mark.parametrize(("frame", "complaint"), [
    (plain(3).iloc[::-1], "not in order of time or a time stands twice"),
    (pd.concat([plain(2), plain(2).tail(1)]), "not in order of time or a time stands twice"),
    (plain(3).rename(columns={"LABEL": "NAME"}), "columns PRICE, NAME; expected PRICE, LABEL"),
    (plain(3).tz_convert("Europe/London"), "the rows have no UTC time")])
def test_a_frame_that_cannot_be_stored_is_refused_and_nothing_is_written(frame: pd.DataFrame, complaint: str,
                                                                         store: MongoStore) -> None:
    with pytest.raises(DataError, match=complaint):
        a_series(store).append("X", frame)
    assert a_series(store).stored_keys() == []


def test_loading_since_a_year_leaves_older_years_alone(store: MongoStore) -> None:
    series = a_series(store)
    series.append("X", plain(3))
    assert len(series.load_since("X", 2022)) == 2


def rates(*values: float) -> pd.Series:
    return pd.Series(values, pd.date_range("2026-03-02", periods=len(values), freq="D", tz="UTC"))


def test_a_cross_is_computed_over_the_dollar(store: MongoStore) -> None:
    fx = MongoFxPrices(store)
    fx.append("EURUSD", rates(1.2, 1.3))
    fx.append("GBPUSD", rates(1.5, 1.3))
    assert fx.rate("EUR", "GBP").tolist() == pytest.approx([0.8, 1.0])
    assert fx.rate("USD", "USD").tolist() == [1.0]


def test_a_rate_that_nobody_stored_is_said(store: MongoStore) -> None:
    with pytest.raises(DataError, match="There are no rates XXXUSD; XXX cannot be valued in USD"):
        MongoFxPrices(store).rate("XXX", "USD")


def test_stored_times_join_others_even_after_zones_were_read_anew(store: MongoStore) -> None:
    series = a_series(store)
    series.append("k", plain(3))
    ZoneInfo.clear_cache()
    later = plain(3).set_axis(pd.date_range("2022-06-01", periods=3, tz="UTC"), axis=0)
    joined = pd.concat([series.load("k"), later])
    assert isinstance(joined.index, pd.DatetimeIndex)
    assert series.append("k", later) == 3
