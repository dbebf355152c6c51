"""The report of a kept backtest: what led to each position, and what each rule said."""

import re
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent / "systems"))
from made_market import MadeSimData, a_system, wandering

from trading.data.parquet.backtests import ParquetBacktests, SavedBacktest
from trading.errors import NotFound
from trading.reports.report import as_text
from trading.reports.saved_backtest_report import saved_backtest_report
from trading.systems.portfolio import Portfolio
from trading.systems.provenance import Provenance
from trading.systems.system import System

SOURCE = Provenance(run="run_systems@day-2024-08-06#1", config="0123456789ab", data="ba9876543210")


def a_market() -> System:
    return a_system(MadeSimData({"A": wandering(300), "B": wandering(250, 50.0)}))


def kept(folder: Path, system: System) -> SavedBacktest:
    return ParquetBacktests(folder).save("made", system, {"A": SOURCE, "B": SOURCE})


def test_it_shows_what_led_to_each_position(tmp_path: Path) -> None:
    system = a_market()
    section, = saved_backtest_report("made", kept(tmp_path, system)).sections
    table = section.table.set_index("INSTRUMENT")
    wanted = system.stage(Portfolio).optimal_position("A")
    assert table.loc["A", ["LOWER", "OPTIMAL", "UPPER"]].tolist() == pytest.approx(
        [wanted.lower, wanted.optimal, wanted.upper])
    assert section.note.startswith("Run run_systems@day-2024-08-06#1. ")


def test_the_opinions_of_the_rules_add_up_to_the_forecast(tmp_path: Path) -> None:
    text = as_text(saved_backtest_report("made", kept(tmp_path, a_market()), "A"))
    total, forecast = re.search(r"add up to (-?[\d.]+); with the multiplier and the cap the forecast is (-?[\d.]+)\.",
                                text).groups()  # type: ignore[union-attr] # it is there, or the test fails
    assert float(forecast) == pytest.approx(float(total) * 1.31, abs=0.02)
    assert "settings 0123456789ab, data ba9876543210" in text


def test_an_instrument_that_was_not_computed_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"^Run run_systems@day-2024-08-06#1 computed nothing for C \(it has: A, B\)\.$"):
        saved_backtest_report("made", kept(tmp_path, a_market()), "C")
