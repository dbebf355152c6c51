"""Costs in units of risk and turnovers against numbers that pysystemtrade computed from the same files (README 07).

Needs the reference data beside the checkout; tests/unit/systems checks the same code on numbers of our own.
"""

import json
from typing import Any

import pytest
from oracle import PEER, needs_numbers
from peer_system import RULES, needs_system, system_with

from trading.systems.accounts import Accounts
from trading.systems.forecasts import ForecastScaleCap
from trading.systems.gains import Gains
from trading.systems.rule_accounts import RuleAccounts
from trading.systems.sharpe_costs import forecast_turnover
from trading.systems.subsystem_accounts import SubsystemAccounts
from trading.systems.system import System

pytestmark = [*needs_numbers, needs_system]
COSTS, SUMMARY = PEER / "07_costs" / "costs.json", PEER / "06_accounts" / "summary.json"
THEIRS: dict[str, Any] = json.loads(COSTS.read_text()) if COSTS.is_file() else {}
each_instrument = pytest.mark.parametrize("code", [pytest.param(code, id=f"07_costs/{code}") for code in THEIRS])


@pytest.fixture(scope="module")
def system() -> System:
    return system_with()


@pytest.fixture(scope="module")
def system_of_all_rules() -> System:
    return system_with(dict.fromkeys(RULES, 1.0))


@each_instrument
def test_costs_in_units_of_risk_equal_the_oracle(system: System, code: str) -> None:
    expected, ours = THEIRS[code], system.stage(Gains).sharpe_costs(code)
    assert ours.per_trade == pytest.approx(expected["SR_cost_per_trade"], rel=1e-7)
    assert ours.holding == pytest.approx(expected["SR_holding_cost"], rel=1e-7)
    turnover = system.stage(SubsystemAccounts).turnover(code)
    assert ours.of(turnover) == pytest.approx(expected["SR_cost_subsystem"], rel=1e-7)


@each_instrument
def test_turnovers_of_forecasts_equal_the_oracle(system_of_all_rules: System, code: str) -> None:
    expected, accounts = THEIRS[code], system_of_all_rules.stage(RuleAccounts)
    for rule, turnover in expected["forecast_turnover_individual"].items():
        forecast = system_of_all_rules.stage(ForecastScaleCap).capped_forecast(code, rule)
        assert forecast_turnover(forecast) == pytest.approx(turnover, rel=1e-7), rule
    for rule, turnover in expected["forecast_turnover_pooled"].items():
        assert accounts.turnover(rule) == pytest.approx(turnover, rel=1e-7), rule
        assert accounts.cost(code, rule) == pytest.approx(expected["SR_cost_rule"][rule], rel=1e-7), rule


@each_instrument
def test_turnovers_of_positions_equal_the_oracle(system: System, code: str) -> None:
    expected, accounts = json.loads(SUMMARY.read_text())[code]["account"], system.stage(Accounts)
    assert accounts.turnover(code) == pytest.approx(expected["instrument_turnover"], rel=1e-7)
    assert system.stage(SubsystemAccounts).turnover(code) == pytest.approx(expected["subsystem_turnover"], rel=1e-7)
