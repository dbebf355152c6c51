"""The job that appends FX closes, against a real store."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from processes.job import JobContext
from processes.update_fx_prices import run
from trading.config import load_config
from trading.data.data_blob import DataBlob
from trading.data.mongo.connection import MongoStore
from trading.objects.instruments import CurrencyPair
from trading.objects.prices import BAR_COLUMNS

PROCESS = "update_fx_prices"
EURUSD = CurrencyPair(code="EURUSD", base="EUR", quote="USD")


@dataclass
class StandingClock:
    moment: datetime

    def now(self) -> datetime:
        return self.moment

    def monotonic_s(self) -> float:
        return 0.0


class Bars:
    """A broker that knows the days since Friday, the one that goes on included, as the real one does."""

    rates = pd.Series([1.07, 1.08, 1.09], pd.DatetimeIndex(["2023-06-02", "2023-06-05", "2023-06-06"], tz="UTC"))

    def fx_bars(self, pair: CurrencyPair, duration: str) -> pd.DataFrame:
        return pd.DataFrame(dict.fromkeys(BAR_COLUMNS, self.rates))


@pytest.mark.parametrize(("now", "known"), [
    (datetime(2023, 6, 6, 5, tzinfo=UTC), [1.07, 1.08]), (datetime(2023, 6, 6, 21, 59, tzinfo=UTC), [1.07, 1.08]),
    (datetime(2023, 6, 6, 22, tzinfo=UTC), [1.07, 1.08, 1.09])])
def test_the_rate_of_a_day_that_goes_on_is_no_close(store: MongoStore, tmp_path: Path, now: datetime,
                                                    known: list[float]) -> None:
    # given what was known on Friday
    data: Any = DataBlob(store=store, clock=StandingClock(now), socket=tmp_path / "none.sock")
    data.broker = Bars()
    data.db_instruments.save_pairs({EURUSD.code: EURUSD})
    data.db_fx_prices.append(EURUSD.code, pd.Series(
        [1.07], pd.DatetimeIndex(["2023-06-02T22:00Z"]).as_unit("ms"), name="PRICE"))

    # when it is updated, and once more
    config = load_config(tmp_path)
    job = JobContext(config=config, data=data, clock=data.clock, state=tmp_path, trading_day=now.date(), run_id="r",
                     process=config.processes[PROCESS], slot="s", attempt=1, fence=1, stop_requested=lambda: False,
                     is_fenced_out=lambda: False)
    run(job)
    run(job)

    # then closes were added, each at 23:00 in London
    rates = data.db_fx_prices.load(EURUSD.code).rates
    assert rates.tolist() == known
    assert {stamp.tz_convert("Europe/London").hour for stamp in rates.index} == {23}
