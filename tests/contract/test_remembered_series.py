"""Whoever looks at stored series again sees what a new reader would, and reads no more than what changed."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ulid import ULID

from trading.clock import SystemClock
from trading.data.data_blob import DataBlob
from trading.data.mongo.connection import MongoStore
from trading.data.mongo.instruments import InstrumentRecord
from trading.data.mongo.remembered_series import RememberedSeries
from trading.data.mongo.series import Chunk, MongoSeries
from trading.data.stored_sim_data import StoredSimData
from trading.errors import DataError
from trading.objects.instruments import Instrument
from trading.objects.rolls import RollParameters

FEW = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
COLUMNS = ("PRICE",)
ROLLS = RollParameters(hold_cycle="HMUZ", priced_cycle="HMUZ", roll_offset_days=-5, carry_offset=1,
                       expiry_offset_days=14)


class CountedSeries(MongoSeries):
    """Says which chunks were read."""

    def __init__(self, store: MongoStore) -> None:
        super().__init__(store.database.adjusted_prices, COLUMNS)
        self.read: list[tuple[str, int]] = []

    def chunks(self, wanted: Sequence[tuple[str, int]]) -> dict[tuple[str, int], Chunk]:
        self.read.extend(wanted)
        return super().chunks(wanted)


def quarters(*prices: float, start: str = "2020-01-31") -> pd.DataFrame:
    """A price a quarter, so that five of them fill more than a year."""
    index = pd.date_range(start, periods=len(prices), freq="QE", tz="UTC", unit="ms")
    return pd.DataFrame({"PRICE": pd.Series(prices, index, dtype="float64")})


def assert_same(one: pd.DataFrame, other: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(one, other, check_freq=False, check_exact=True)


ACTS = st.tuples(st.sampled_from(("append", "replace", "look")), st.sampled_from("AB"),
                 st.lists(st.sampled_from((1.0, 2.0, 3.0)), max_size=12))


@FEW
@given(story=st.lists(ACTS, min_size=1, max_size=8))
def test_whoever_looks_again_sees_what_a_new_reader_sees(store: MongoStore, story: list[tuple[str, str, list[float]]],
                                                         ) -> None:
    # given a reader that has seen nothing yet of two series
    series, run = MongoSeries(store.database.adjusted_prices, COLUMNS), str(ULID())
    remembered = RememberedSeries(series)
    for act, name, prices in story:
        # when they grow, shrink and are corrected, and he looks now and then
        key = f"{run} {name}"
        if act == "append":
            series.append(key, quarters(*prices))
        elif act == "replace":
            series.replace(key, quarters(*prices))
        else:
            remembered.load(key)
            remembered.look_again()
            assert_same(remembered.load(key), series.load(key))

    # then he sees what is stored
    remembered.look_again()
    for name in "AB":
        assert_same(remembered.load(f"{run} {name}"), series.load(f"{run} {name}"))


def test_only_the_year_that_grew_is_read_again(store: MongoStore) -> None:
    series = CountedSeries(store)
    for key in ("A", "B"):
        series.append(key, quarters(1, 2, 3, 4, 5))
    remembered = RememberedSeries(series)
    before = {key: remembered.load(key) for key in ("A", "B")}
    series.read.clear()

    series.append("A", quarters(1, 2, 3, 4, 5, 6))
    remembered.look_again()

    assert series.read == [("A", 2021)]
    assert remembered.load("A")["PRICE"].tolist() == [1, 2, 3, 4, 5, 6]
    assert remembered.load("B") is before["B"]


def test_a_year_that_went_and_came_back_with_other_prices_is_read_again(store: MongoStore) -> None:
    # given a reader of two years, of which the second is removed and stored anew: as often written as before
    series = MongoSeries(store.database.adjusted_prices, COLUMNS)
    series.append("A", quarters(1, 2, 3, 4, 5))
    remembered = RememberedSeries(series)
    remembered.load("A")
    series.replace("A", quarters(1, 2, 3, 4))
    series.append("A", quarters(1, 2, 3, 4, 9))

    # when he looks again
    remembered.look_again()

    # then
    assert remembered.load("A")["PRICE"].tolist() == [1, 2, 3, 4, 9]


def test_what_was_not_there_is_found_when_it_is_looked_again(store: MongoStore) -> None:
    series = MongoSeries(store.database.adjusted_prices, COLUMNS)
    remembered = RememberedSeries(series)
    assert remembered.load("A").empty
    series.append("A", quarters(1, 2))
    assert remembered.load("A").empty
    remembered.look_again()
    assert remembered.load("A")["PRICE"].tolist() == [1, 2]


@pytest.fixture
def blob(store: MongoStore, tmp_path: Path) -> DataBlob:
    """One instrument in euros, with a year of prices."""
    data = DataBlob(store=store, clock=SystemClock(), socket=tmp_path / "none.sock")
    configure(data, point_size=10.0)
    data.db_adjusted_prices.append("A", quarters(1, 2, 3, 4)["PRICE"])
    data.db_multiple_prices.append("A", multiple(1, 2, 3, 4))
    data.db_fx_prices.append("EURUSD", quarters(1.1, 1.2)["PRICE"])
    return data


def configure(data: DataBlob, point_size: float) -> None:
    instrument = Instrument(code="A", point_size=point_size, currency="EUR")
    data.db_instruments.save_all({"A": InstrumentRecord(instrument=instrument, rolls=ROLLS, broker=None)})


def multiple(*prices: float) -> pd.DataFrame:
    held = quarters(*prices)["PRICE"]
    labels = dict.fromkeys(("PRICE_CONTRACT", "CARRY_CONTRACT", "FORWARD_CONTRACT"), "20210300")
    return held.to_frame().assign(CARRY=held, FORWARD=held, **labels)


def seen(data: StoredSimData) -> tuple[object, ...]:
    multiple = data.multiple_prices("A")
    return (data.instrument_codes(), data.instrument("A").point_size, data.rolls_per_year("A"),
            data.adjusted_prices("A").tolist(), multiple["PRICE"].tolist(), multiple["PRICE_CONTRACT"].tolist(),
            data.fx("EUR", "USD").tolist())


def test_a_system_sees_the_data_of_its_last_look(blob: DataBlob) -> None:
    # given data that were looked at
    data = StoredSimData(blob)
    before = seen(data)

    # when everything changes, then it stays as it was
    configure(blob, point_size=20.0)
    blob.db_adjusted_prices.append("A", quarters(1, 2, 3, 4, 5)["PRICE"])
    blob.db_multiple_prices.append("A", multiple(1, 2, 3, 4, 5))
    blob.db_fx_prices.append("EURUSD", quarters(1.1, 1.2, 1.3)["PRICE"])
    blob.db_adjusted_prices.append("B", quarters(7)["PRICE"])
    assert seen(data) == before

    # until it is looked again
    data.look_again()
    assert seen(data) == (("A", "B"), 20.0, 4, [1, 2, 3, 4, 5], [1, 2, 3, 4, 5], ["20210300"] * 5, [1.1, 1.2, 1.3])


def test_an_instrument_with_prices_but_without_settings_is_named(blob: DataBlob) -> None:
    blob.db_adjusted_prices.append("B", quarters(7)["PRICE"])
    with pytest.raises(DataError) as refused:
        StoredSimData(blob).instrument("B")
    assert str(refused.value) == "B lacks prices or settings. Import them: tradectl import pysystemtrade DIR"
