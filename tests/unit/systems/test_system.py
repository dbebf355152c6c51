"""System: how stages are found, and what is refused when it is built."""

import pytest
from made_market import RULES, MadeSimData, a_system, wandering

from trading.errors import ConfigError
from trading.systems.portfolio import Portfolio
from trading.systems.production_system import standard_stages, system_config
from trading.systems.rawdata import RawData
from trading.systems.stage import SystemStage
from trading.systems.system import System

CONFIG = system_config({"forecast_rules": RULES})
DATA = MadeSimData({"A": wandering(), "B": wandering()})


class Hen(SystemStage):
    name = "hen"
    needs = ("egg",)


class Egg(SystemStage):
    name = "egg"
    needs = ("hen",)


def test_stages_have_the_names_of_the_seed() -> None:
    assert set(a_system(DATA).stage_names) >= {"rawdata", "rules", "forecastScaleCap", "combForecast", "positionSize",
                                               "portfolio", "optimisedPositions", "accounts"}


def test_a_stage_is_found_by_type_name_or_attribute() -> None:
    system = a_system(DATA)
    assert system.stage(Portfolio) is system.get_item("portfolio") is system.portfolio


def test_a_system_makes_its_own_cache_when_none_is_given() -> None:
    system = System(standard_stages(), DATA, CONFIG)
    assert len(system.stage(RawData).daily_prices("A")) == 200


def test_an_unknown_stage_is_named_with_those_that_exist() -> None:
    with pytest.raises(ConfigError, match=r"^The system has no stage portfolios \(it has: rawdata, crossSection, "):
        a_system(DATA).get_item("portfolios")


def test_an_unknown_attribute_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match=r"^The system has no stage portfolios\.$"):
        a_system(DATA).portfolios  # noqa: B018 # the access is the test


def test_a_stage_of_another_type_is_refused() -> None:
    class OwnRawData(SystemStage):
        name = "rawdata"

    with pytest.raises(ConfigError, match=r"^The stage rawdata is a OwnRawData, not a RawData\.$"):
        System((OwnRawData(),), DATA, CONFIG).stage(RawData)


def test_a_stage_that_is_needed_but_missing_is_named() -> None:
    with pytest.raises(ConfigError, match=r"^The stage hen needs egg, which the system does not have\.$"):
        System((Hen(),), DATA, CONFIG)


def test_stages_that_need_each_other_are_named_in_a_circle() -> None:
    with pytest.raises(ConfigError, match=r"^The stages need each other: (hen -> egg -> hen|egg -> hen -> egg)\.$"):
        System((Hen(), Egg()), DATA, CONFIG)


def test_two_stages_of_one_name_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"^Two stages are called rawdata\. Give each stage a name of its own\.$"):
        System((RawData(), RawData()), DATA, CONFIG)


def test_instruments_are_those_of_the_data_unless_named() -> None:
    assert a_system(DATA).instrument_codes() == ("A", "B")
    assert a_system(DATA, instruments=["B"]).instrument_codes() == ("B",)
    assert a_system(DATA, instrument_weights={"B": 0.5}).instrument_codes() == ("B",)


def test_named_instruments_without_prices_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"^The system names instruments without prices: C \(available: A, B\)"):
        a_system(DATA, instruments=["A", "C"]).instrument_codes()


def test_changing_an_answer_does_not_change_the_next_one() -> None:
    raw = a_system(DATA).stage(RawData)
    mine = raw.daily_prices("A")
    mine.iloc[0] = -1.0
    assert raw.daily_prices("A").iloc[0] > 0


def test_other_settings_are_never_answered_with_what_was_computed_before() -> None:
    system = a_system(DATA)
    before = system.portfolio.notional_position("A").iloc[-1]
    system.config = system.config.model_copy(update={"notional_trading_capital": 2_000_000.0})
    assert system.portfolio.notional_position("A").iloc[-1] == pytest.approx(2 * before)
