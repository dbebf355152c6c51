"""The report of a backtest: what it says, what it leaves out, and that its pictures need nothing from outside."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.append(str(Path(__file__).parent / "systems"))
from made_market import MadeSimData, a_system, prices, wandering

from trading.errors import DataError
from trading.reports.backtest_report import backtest_report, instruments_table, statistics_table
from trading.reports.pictures import line_picture
from trading.reports.report import as_html, as_text
from trading.systems.accounts import Accounts
from trading.systems.system import System


def a_market(**more: object) -> System:
    return a_system(MadeSimData({"A": wandering(400), "B": wandering(300, 50.0), **more}, slippage=0.02))  # type: ignore[dict-item]


def test_it_shows_the_account_its_statistics_and_each_instrument() -> None:
    report = backtest_report("made", a_market())
    text, page = as_text(report), as_html(report)
    assert text.startswith("Backtest of made, 2024-01-")
    assert "Sharpe ratio" in text
    assert [section.heading for section in report.sections] == ["Account", "Drawdown", "Statistics", "Instruments"]
    assert page.count("<svg") == 2
    assert "Account\n-------" not in text  # a terminal shows no pictures
    for forbidden in ("<script", "http://www.w3.org/1999/xlink\" href=\"http", "src="):
        assert forbidden not in page


def test_an_instrument_without_prices_is_left_out_and_said_so() -> None:
    report = backtest_report("made", a_market(EMPTY=prices([np.nan] * 300)))
    assert report.sections[-1].heading == "Left out"
    assert report.sections[-1].table["INSTRUMENT"].tolist() == ["EMPTY"]
    assert "EMPTY" not in report.sections[3].table["INSTRUMENT"].tolist()


def test_without_any_data_there_is_no_account() -> None:
    with pytest.raises(DataError, match=r"No instrument has an account: EMPTY has no prices\. Import prices: tradectl"):
        backtest_report("made", a_system(MadeSimData({"EMPTY": prices([np.nan] * 300)})))
    with pytest.raises(DataError, match=r"No instrument has an account: there are no prices\. Import prices: tradectl"):
        backtest_report("made", a_system(MadeSimData({})))


def test_the_best_instrument_comes_first_and_counts_are_whole() -> None:
    system = a_market()
    table = instruments_table(system)
    assert table["NET, %"].is_monotonic_decreasing
    periods = statistics_table(system.stage(Accounts).portfolio()).set_index("GAINS OVER").loc["periods"]
    assert all(isinstance(count, int) for count in periods)


def test_a_picture_is_one_element_in_the_colour_of_the_text() -> None:
    picture = line_picture(wandering(5000), "percent")
    assert picture.startswith("<svg")
    assert picture.endswith("</svg>")
    assert "currentColor" in picture
    assert len(picture) < 200_000
