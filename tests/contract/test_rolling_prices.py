"""The job that extends multiple and adjusted prices, against a real store: what it writes can be stitched anew."""

from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from processes.job import JobContext
from processes.update_multiple_adjusted_prices import run
from trading.clock import SystemClock
from trading.config import load_config
from trading.data.data_blob import DataBlob
from trading.data.mongo.connection import MongoStore
from trading.data.mongo.instruments import InstrumentRecord
from trading.data.mongo.roll_states import StoredRollState
from trading.errors import DataError
from trading.execution.adjustments import Adjustment, AdjustmentKind, Entry
from trading.execution.rolls.states import RollState
from trading.objects.adjusted_prices import stitch
from trading.objects.contracts import Contract
from trading.objects.instruments import Instrument
from trading.objects.multiple_prices import ContractSet, rows_of
from trading.objects.prices import BAR_COLUMNS
from trading.objects.rolls import RollParameters

CODE = "WAVE"
ROLLS = RollParameters(hold_cycle="HMUZ", priced_cycle="HMUZ", roll_offset_days=-5, carry_offset=1,
                       expiry_offset_days=14)
HELD = ContractSet.of(Contract.of(CODE, "20211200").month, ROLLS)
NAN = float("nan")


def closes(start: str, *values: float) -> pd.Series:
    return pd.Series(values, pd.date_range(start, periods=len(values), freq="D", tz="UTC", unit="ms"), dtype=float)


def a_job(store: MongoStore, folder: Path, today: date) -> JobContext:
    config = load_config(folder)
    clock = SystemClock()
    process = "update_multiple_adjusted_prices"
    return JobContext(config=config, data=DataBlob(store=store, clock=clock, socket=folder / "none.sock"),
                      clock=clock, state=folder, trading_day=today, run_id="r", process=config.processes[process],
                      slot="s", attempt=1, fence=1, stop_requested=lambda: False, is_fenced_out=lambda: False)


@pytest.fixture
def data(store: MongoStore, tmp_path: Path) -> DataBlob:
    """Two days of multiple and adjusted prices, and configuration."""
    blob = a_job(store, tmp_path, date(2021, 12, 1)).data
    instrument = Instrument(code=CODE, point_size=1.0, currency="USD")
    blob.db_instruments.save_all({CODE: InstrumentRecord(instrument=instrument, rolls=ROLLS, broker=None)})
    rows = rows_of(HELD, {HELD.price: closes("2021-12-01", 100, 101), HELD.forward: closes("2021-12-01", 102, 103)})
    blob.db_multiple_prices.append(CODE, rows)
    blob.db_adjusted_prices.append(CODE, rows["PRICE"])
    return blob


def tell(data: DataBlob, price: list[float], forward: list[float]) -> None:
    """Closes of 3 December and later, as the job before stores them; NaN: there was none."""
    for month, values in ((HELD.price, price), (HELD.forward, forward)):
        series = closes("2021-12-03", *values).dropna()
        bars = pd.DataFrame(dict.fromkeys(BAR_COLUMNS, series), index=series.index).assign(VOLUME=1.0)
        data.db_contract_prices.append(Contract(CODE, month), bars)


@pytest.mark.parametrize(("price", "forward", "gap", "first"), [
    ([104.0], [106.5], 2.5, 106.5), ([104.0, NAN], [106.5, 107.0], 2.5, 107.0),
    ([104.0, 105.0], [106.5, NAN], 2.5, 107.5), ([NAN], [106.5], 2.0, 106.5)])
def test_a_roll_leaves_what_stitching_anew_would_give(store: MongoStore, tmp_path: Path, data: DataBlob,
                                                      price: list[float], forward: list[float], gap: float,
                                                      first: float) -> None:
    # given newer closes, one of the two perhaps missing at the end
    tell(data, price, forward)

    # when it is time to roll
    run(a_job(store, tmp_path, date(2021, 12, 10)))

    # then the next contract is priced, older prices moved by the gap, and both stored series agree
    multiple, adjusted = data.db_multiple_prices.load(CODE), data.db_adjusted_prices.load(CODE)
    assert multiple["PRICE_CONTRACT"].iloc[-1] == "20220300"
    assert multiple["PRICE"].iloc[-1] == first
    assert adjusted.iloc[0] == 100 + gap
    pd.testing.assert_series_equal(stitch(CODE, multiple).dropna(), adjusted, check_names=False, check_freq=False)


def test_before_its_time_nothing_rolls(store: MongoStore, tmp_path: Path, data: DataBlob) -> None:
    tell(data, [104.0], [106.5])
    run(a_job(store, tmp_path, date(2021, 12, 9)))
    assert data.db_multiple_prices.load(CODE)["PRICE_CONTRACT"].unique().tolist() == ["20211200"]
    assert data.db_adjusted_prices.load(CODE).tolist() == [100, 101, 104]


def test_without_roll_parameters_the_instrument_is_named(store: MongoStore, tmp_path: Path, data: DataBlob) -> None:
    record = data.db_instruments.load(CODE)
    data.db_instruments.save_all({CODE: InstrumentRecord(instrument=record.instrument, rolls=None, broker=None)})
    with pytest.raises(DataError, match="not one of 1 worked: WAVE"):
        run(a_job(store, tmp_path, date(2021, 12, 10)))


def after_the_roll(data: DataBlob, state: RollState, front: str = f"{CODE}/20211200") -> None:
    """The stored roll state of the instrument."""
    data.db_roll_states.put(StoredRollState(instrument=CODE, state=state, reason="nothing is held in front", who="rule",
                                            at=data.clock.now(), day="2021-12-03", front=front))


def priced(store: MongoStore, tmp_path: Path, data: DataBlob) -> list[str]:
    """The contracts that are priced after the job has run, long before the date of the roll."""
    tell(data, [104.0], [106.5])
    run(a_job(store, tmp_path, date(2021, 12, 3)))
    return [str(label) for label in data.db_multiple_prices.load(CODE)["PRICE_CONTRACT"].unique()]


def test_prices_follow_a_position_that_has_rolled(store: MongoStore, tmp_path: Path, data: DataBlob) -> None:
    after_the_roll(data, RollState.ROLL_ADJUSTED)
    assert priced(store, tmp_path, data) == ["20211200", "20220300"]


def test_prices_do_not_follow_while_anything_is_held(store: MongoStore, tmp_path: Path, data: DataBlob) -> None:
    after_the_roll(data, RollState.ROLL_ADJUSTED)
    held = Entry(strategy="s", instrument=CODE, contract=f"{CODE}/20211200", con_id=1, lots=1)
    data.db_books.adjust(Adjustment(id="A-1", kind=AdjustmentKind.OPENING, entries=(held,), reason="a late fill",
                                    who="ann", at=data.clock.now()))
    assert priced(store, tmp_path, data) == ["20211200"]


@pytest.mark.parametrize("state", [RollState.NO_ROLL, RollState.PASSIVE, RollState.FORCE_OUTRIGHT, RollState.CLOSE])
def test_no_other_state_rolls_prices(store: MongoStore, tmp_path: Path, data: DataBlob, state: RollState) -> None:
    after_the_roll(data, state)
    assert priced(store, tmp_path, data) == ["20211200"]


def test_a_state_about_an_older_contract_rolls_nothing(store: MongoStore, tmp_path: Path, data: DataBlob) -> None:
    after_the_roll(data, RollState.ROLL_ADJUSTED, front=f"{CODE}/20210900")
    assert priced(store, tmp_path, data) == ["20211200"]
