"""From the store to optimal positions: the first time, after one new day of prices, and after one of one instrument.

The reference data are used when they lie beside the checkout, else generated markets; rules are those of system_speed.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd

from benchmarks.supervision import store_server
from benchmarks.system_speed import RULES
from trading.clock import SystemClock
from trading.data.csv.sample_markets import write_sample_markets
from trading.data.data_blob import DataBlob
from trading.data.import_pysystemtrade import PysystemtradeImport
from trading.data.mongo.connection import MongoStore, connect
from trading.data.mongo.schema import set_up_schema
from trading.data.stored_sim_data import StoredSimData
from trading.errors import StoreError
from trading.systems.portfolio import Portfolio
from trading.systems.production_system import futures_system, system_config
from trading.systems.system import System

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
ROUNDS = 5


def measure(folder: Path) -> dict[str, float]:
    """Seconds; medians of some rounds, but for the first time, of which there is one a system: the best of them."""
    markets = SHARED if SHARED.is_dir() else folder / "markets"
    if markets != SHARED:
        write_sample_markets(markets, seed=1)
    with stored(folder) as store:
        list(PysystemtradeImport(store, markets, ZoneInfo("Europe/London"), 20).run())
        blob = DataBlob(store=store, clock=SystemClock(), socket=folder / "none.sock")
        config = system_config({"forecast_rules": RULES})
        first = [positions_s(futures_system(StoredSimData(blob), config)) for _ in range(ROUNDS)]
        system = futures_system(StoredSimData(blob), config)
        positions_s(system)
        codes = system.instrument_codes()
        all_of_them = [after_a_day_s(system, blob, codes) for _ in range(ROUNDS)]
        one = [after_a_day_s(system, blob, codes[:1]) for _ in range(ROUNDS)]
        rows = sum(len(blob.db_adjusted_prices.load(code)) for code in codes)
    return {"instruments": float(len(codes)), "rows": float(rows), "shared": float(markets == SHARED),
            "first_s": min(first), "after_a_day_s": sorted(all_of_them)[ROUNDS // 2],
            "after_one_instruments_day_s": sorted(one)[ROUNDS // 2]}


@contextmanager
def stored(folder: Path) -> Iterator[MongoStore]:
    """An empty store in `folder`, for the time of the block."""
    (folder / "store").mkdir(parents=True)
    with store_server(folder / "store") as uri:
        store = connected(uri)
        set_up_schema(store)
        yield store
        store.close()


def connected(uri: str, within_s: float = 30.0) -> MongoStore:
    """A connection, as soon as the server that was just started answers."""
    until_s = time.perf_counter() + within_s
    while True:
        try:
            return connect(uri, "tradingd", 1.0)
        except StoreError:
            if time.perf_counter() > until_s:
                raise
            time.sleep(0.05)


def positions_s(system: System) -> float:
    """Seconds until every optimal position is known."""
    began = time.perf_counter()
    for code in system.instrument_codes():
        system.stage(Portfolio).optimal_position(code)
    return time.perf_counter() - began


def after_a_day_s(system: System, blob: DataBlob, codes: tuple[str, ...]) -> float:
    """Seconds for looking again and all positions, after a new day of prices of `codes`."""
    for code in codes:
        add_a_day(blob, code)
    began = time.perf_counter()
    assert system.look_again() == codes
    return time.perf_counter() - began + positions_s(system)


def add_a_day(blob: DataBlob, code: str) -> None:
    """The newest prices once more, a hundredth of a percent higher, a business day later."""
    year = blob.db_multiple_prices.load(code).index[-1].year
    newest = blob.db_multiple_prices.load_since(code, year).tail(1)
    later = newest.set_axis(newest.index + pd.offsets.BDay(), axis=0)
    for column in ("PRICE", "CARRY", "FORWARD"):
        later[column] = later[column] * 1.0001
    blob.db_multiple_prices.append(code, later)
    blob.db_adjusted_prices.append(code, later["PRICE"])


if __name__ == "__main__":
    import json
    import tempfile

    with tempfile.TemporaryDirectory(prefix="tradingd-bench-") as place:
        print(json.dumps(measure(Path(place)), indent=2))
