"""The job run_systems against a real store: what it stores, whom it leaves out, and what it keeps for looking at."""

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from processes.job import JobContext
from processes.run_systems import run
from trading.clock import SystemClock
from trading.config import StrategyConfig, load_config
from trading.data.csv.sample_markets import write_sample_markets
from trading.data.data_blob import DataBlob
from trading.data.import_pysystemtrade import PysystemtradeImport
from trading.data.mongo.connection import MongoStore
from trading.data.parquet.backtests import ITEMS, ParquetBacktests
from trading.errors import DataError, JobIncomplete, NotFound
from trading.shipped import shipped_folder

TREND = {"rule": "ewmac", "fast": 16, "slow": 64, "scalar": 3.75, "weight": 0.6}
CARRY = {"rule": "carry", "smooth_days": 90, "scalar": 30, "weight": 0.4}
RULES = {"trend": TREND, "carry": CARRY}
TODAY, DAY = date(2023, 6, 30), "2023-06-30"


@pytest.fixture
def market(store: MongoStore, tmp_path: Path) -> DataBlob:
    """Four generated markets in the store, and a million for the strategy `mine`."""
    folder = tmp_path / "markets"
    write_sample_markets(folder, seed=3)
    for file in folder.glob("*_prices_csv/*.csv"):
        if "fx" not in file.parent.name and file.stem not in ("ALPHA", "BRAVO", "KILO", "DELTA"):
            file.unlink()
    list(PysystemtradeImport(store, folder, ZoneInfo("Europe/London"), 0).run())
    blob = DataBlob(store=store, clock=SystemClock(), socket=tmp_path / "none.sock")
    blob.db_capital.save_strategy("mine", DAY, 1_000_000.0)
    return blob


def a_job(data: DataBlob, folder: Path, **strategies: dict[str, Any]) -> JobContext:
    config = replace(load_config(shipped_folder()), strategies={
        name: StrategyConfig(system={"forecast_rules": RULES, **system}) for name, system in strategies.items()})
    return JobContext(config=config, data=data, clock=SystemClock(), state=folder, trading_day=TODAY,
                      run_id="run_systems@2023-06-30T20:00:00Z#1", process=config.processes["run_systems"], slot="s",
                      attempt=1, fence=1, stop_requested=lambda: False, is_fenced_out=lambda: False)


def stored(data: DataBlob, strategy: str = "mine") -> dict[str, float]:
    return {code: position.optimal for code, position in data.db_optimal_positions.of_day(strategy, DAY).items()}


def test_positions_are_stored_and_what_led_to_them_is_kept(market: DataBlob, tmp_path: Path) -> None:
    run(a_job(market, tmp_path, mine={}))
    assert set(stored(market)) == {"ALPHA", "BRAVO", "DELTA", "KILO"}
    kept = ParquetBacktests(tmp_path / "backtests").newest("mine")
    assert kept.run == "run_systems@2023-06-30T20:00:00Z#1"
    assert kept.config.forecast_rules["trend"].rule == "ewmac"
    assert kept.sources["ALPHA"] == market.db_optimal_positions.provenance("mine", "ALPHA", DAY)
    notional = kept.item("portfolio.notional_position")
    assert {code: notional[code].dropna().iloc[-1] for code in notional} == pytest.approx(stored(market))
    assert set(kept.item("forecastScaleCap.capped_forecasts").columns) == {
        (code, rule) for code in stored(market) for rule in RULES}
    with pytest.raises(NotFound, match=r"has no item portfolio\.x \(there: combForecast\.combined_forecast, "):
        kept.item("portfolio.x")
    assert all(len(kept.item(name)) <= 1_000 for name in ITEMS)


def test_a_run_that_is_repeated_replaces_itself_and_old_ones_go(market: DataBlob, tmp_path: Path) -> None:
    job, backtests = a_job(market, tmp_path, mine={}), ParquetBacktests(tmp_path / "backtests")
    for number in (1, 1, 2, 3):
        run(replace(job, run_id=f"run_systems@2023-06-30T20:00:00Z#{number}"))
    assert [kept.run[-2:] for kept in backtests.all_of("mine")] == ["#1", "#2", "#3"]
    assert backtests.keep_newest(2) == 1
    assert [kept.run[-2:] for kept in backtests.all_of("mine")] == ["#2", "#3"]
    with pytest.raises(NotFound, match=r"^No backtest of other is kept in .*tradectl run run_systems$"):
        backtests.newest("other")


def test_one_broken_series_stops_nobody_and_is_never_a_closing_order(market: DataBlob, tmp_path: Path) -> None:
    gone = market.store.database.multiple_prices.delete_many({"key": "BRAVO"}).deleted_count
    assert gone > 0
    with pytest.raises(JobIncomplete, match=r"all but mine/BRAVO\.$"):
        run(a_job(market, tmp_path, mine={}))
    assert set(stored(market)) == {"ALPHA", "DELTA", "KILO"}


def test_what_is_on_a_list_is_not_traded(market: DataBlob, tmp_path: Path) -> None:
    run(a_job(market, tmp_path, mine={"bad_markets": ["KILO"], "duplicate_instruments": {"ALPHA": ["BRAVO"]}}))
    assert set(stored(market)) == {"ALPHA", "DELTA"}


def test_a_small_account_wants_whole_contracts_exactly(market: DataBlob, tmp_path: Path) -> None:
    run(a_job(market, tmp_path, mine={"small_account": {"shadow_cost": 10}}))
    for position in market.db_optimal_positions.of_day("mine", DAY).values():
        assert position.lower == position.optimal == position.upper == round(position.optimal)


def test_a_small_account_stays_where_it_is_when_trading_is_dear(market: DataBlob, tmp_path: Path) -> None:
    market.store.database.strategy_positions.insert_one(
        {"_id": "mine/ALPHA", "strategy": "mine", "instrument": "ALPHA", "quantity": 3, "v": 1})
    run(a_job(market, tmp_path, mine={"small_account": {"shadow_cost": 1_000_000}}))
    assert stored(market) == {"ALPHA": 3.0, "BRAVO": 0.0, "DELTA": 0.0, "KILO": 0.0}


def test_an_instrument_without_data_keeps_what_a_small_account_holds(market: DataBlob, tmp_path: Path) -> None:
    market.store.database.multiple_prices.delete_many({"key": "BRAVO"})
    with pytest.raises(JobIncomplete, match="mine/BRAVO"):
        run(a_job(market, tmp_path, mine={"small_account": {}}))
    assert "BRAVO" not in stored(market)


def test_a_strategy_that_cannot_run_does_not_stop_the_others(market: DataBlob, tmp_path: Path) -> None:
    # `poor` has no capital, `lost` names an instrument that nobody has
    market.db_capital.save_strategy("lost", DAY, 1_000_000.0)
    with pytest.raises(JobIncomplete, match=r"all but poor, lost\.$"):
        run(a_job(market, tmp_path, poor={}, lost={"instruments": ["NOBODY"]}, mine={}))
    assert len(stored(market)) == 4


def test_a_job_of_which_nothing_worked_fails(market: DataBlob, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not one of 1 worked: poor"):
        run(a_job(market, tmp_path, poor={}))


def fails_in_one_market(price: pd.Series) -> pd.Series:
    """A rule of one's own with a bug that shows in one market only."""
    if price.iloc[-1] == FAILING["price"]:
        raise ZeroDivisionError("no range")
    return price * 0 + 5.0


FAILING = {"price": 0.0}


def test_an_own_rule_that_fails_in_one_instrument_stops_only_that(market: DataBlob, tmp_path: Path) -> None:
    FAILING["price"] = float(market.db_adjusted_prices.load("KILO").iloc[-1])
    own = {"own": {"rule": f"{__name__}.fails_in_one_market", "scalar": 1.0, "weight": 1.0}}
    with pytest.raises(JobIncomplete, match=r"all but mine/KILO\.$"):
        run(a_job(market, tmp_path, mine={"forecast_rules": own}))
    assert set(stored(market)) == {"ALPHA", "BRAVO", "DELTA"}


def test_weights_may_be_estimated_from_what_is_stored(market: DataBlob, tmp_path: Path) -> None:
    rules = {name: {key: value for key, value in rule.items() if key != "weight"} for name, rule in RULES.items()}
    run(a_job(market, tmp_path, mine={
        "forecast_rules": rules, "forecast_weight_estimate": {}, "forecast_div_multiplier": "estimated",
        "instrument_weight_estimate": {}, "instrument_div_multiplier": "estimated", "risk_overlay": {}}))
    assert len(stored(market)) == 4
