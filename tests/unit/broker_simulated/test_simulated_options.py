"""The settings of a gateway in the words of people: in a scenario, and while it runs."""

import json
import re
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from simulated_messages import a_contract, market_data, place_order
from simulated_stage import Stage, kinds

from daemon.market.simulated_gateway import parser, settings_of
from trading.broker.simulated.control import Control
from trading.broker.simulated.faults.fault import FaultKind
from trading.broker.simulated.hours import TimeStyle
from trading.broker.simulated.moving_clock import MovingClock
from trading.broker.simulated.options import FOR_LIFE, GatewayOptions, changes_of, options_of, told
from trading.broker.simulated.permissions import Pacing, Subscription
from trading.broker.simulated.price_grid import grid_of
from trading.broker.simulated.read_only import ReadOnly
from trading.broker.simulated.scenario import read_scenario
from trading.broker.simulated.settings import GatewaySettings
from trading.errors import ConfigError

OLD = GatewaySettings(state=Path("var"))
ROOT = Path(__file__).parents[3]
EVERYTHING = """\
settings:
  account: DU7
  more_accounts: [DU8, DU9]
  base_currency: EUR
  starting_cash: 1000
  zone: US/Central
  ticks: {ES: {0: 0.05, 100: 0.25}}
  lots: 5
  traded_a_minute: 30
  tif_preset: true
  real_hours: true
  holidays: [2021-10-14]
  execution_times: UTC_DASH
  read_only: ORDERS_SHOWN
  permissions: {everywhere: DELAYED, exchanges: {CME: NONE}}
  limits: {lines: 7, depths: 0, pacing: OFF, messages_a_second: 9}
faults:
- kind: hold
"""


def scenario(folder: Path, text: str) -> Path:
    path = folder / "day.yaml"
    path.write_text(text)
    return path


def test_a_scenario_can_set_everything(tmp_path: Path) -> None:
    found = read_scenario(scenario(tmp_path, EVERYTHING))
    new = found.options.applied(OLD)
    assert (new.accounts, new.base_currency, new.starting_cash, new.zone) == (("DU7", "DU8", "DU9"), "EUR", 1000.0,
                                                                             "US/Central")
    assert (new.lots, new.tif_preset, new.real_hours, new.holidays) == (5, True, True, frozenset({date(2021, 10, 14)}))
    assert new.traded_a_minute == 30
    assert (new.execution_times, new.read_only) == (TimeStyle.UTC_DASH, ReadOnly.ORDERS_SHOWN)
    assert (new.permissions.everywhere, new.permissions.of("CME")) == (Subscription.DELAYED, Subscription.NONE)
    assert vars(new.limits) == {"lines": 7, "depths": 0, "pacing": Pacing.OFF, "messages_a_second": 9}
    assert new.grids == {"ES": grid_of({Decimal(0): Decimal("0.05"), Decimal(100): Decimal("0.25")})}
    assert [fault.kind for fault in found.faults] == [FaultKind.HOLD]


def test_the_scenario_above_sets_every_setting_that_there_is(tmp_path: Path) -> None:
    assert read_scenario(scenario(tmp_path, EVERYTHING)).options.model_fields_set == set(GatewayOptions.model_fields)


def test_what_is_not_named_stays() -> None:
    assert options_of({}).applied(OLD) == OLD
    assert options_of({"limits": {"lines": 7}}).applied(OLD).limits.depths == OLD.limits.depths


@pytest.mark.parametrize(("values", "sentence"), [
    ([], r"^The settings must be lines of `name: value`, not \[\]\.$"),
    ({"line": 3}, r"^There is no setting 'line'\. Allowed: account, more_accounts, .*limits\.$"),
    ({"limits": {"line": 3}}, r"^There is no setting 'limits\.line'\. Allowed: lines, depths, pacing, "
                              r"messages_a_second\.$"),
    ({"limits": {"lines": 0}}, r"^The setting limits\.lines cannot be 0: it should be greater than 0\.$"),
    ({"read_only": "yes"}, r"^The setting read_only cannot be 'yes': it should be 'OFF', 'ORDERS_SHOWN' or "
                           r"'ORDERS_HIDDEN'\.$"),
    ({"zone": "Mars"}, r"^The setting zone cannot be 'Mars': 'Mars' is no time zone; use an IANA name, for example "
                       r"Europe/London\.$"),
    ({"base_currency": "dollar"}, r"^The setting base_currency cannot be 'dollar': "),
    ({"permissions": {"exchanges": {"CME": "FREE"}}}, r"^The setting permissions\.exchanges\.CME cannot be 'FREE': "),
    ({"ticks": {"ES": {0: 0.3, 1: 0.5}}}, r"^The setting ticks cannot be .*: ES: The band that begins at 1 does not "),
    ({"lots": "many", "starting_cash": -1}, r"^The setting starting_cash .*\. The setting lots .*\.$")])
def test_a_wrong_setting_is_answered_in_a_sentence(values: Any, sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        options_of(values)


@pytest.mark.parametrize("text", ["settings: {line: 3}", "settings: 5", "settings: {ticks: {ES: {0: 0.3, 1: 0.5}}}",
                                  "faults: 5", "rules: {}", "faults: [{kind: nonsense}]"])
def test_a_wrong_scenario_names_its_file(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match=r"day\.yaml"):
        read_scenario(scenario(tmp_path, text))


def test_a_running_gateway_changes_by_names_with_dots() -> None:
    new = changes_of({"limits.lines": "7", "permissions.exchanges.OSE.JPN": "NONE", "tif_preset": "true",
                      "holidays": "2021-10-14,2021-10-15", "read_only": "OFF"}).applied(OLD)
    assert (new.limits.lines, new.permissions.of("OSE.JPN"), new.tif_preset) == (7, Subscription.NONE, True)
    assert len(new.holidays) == 2


@pytest.mark.parametrize("name", FOR_LIFE)
def test_a_running_gateway_keeps_what_it_has_for_life(name: str) -> None:
    with pytest.raises(ConfigError, match=f"keeps its {name}. Write it under `settings:` of a scenario"):
        changes_of({name: "5"})


def test_a_part_is_not_given_twice() -> None:
    with pytest.raises(ConfigError, match="Give one of the two"):
        changes_of({"limits": "5", "limits.lines": "5"})


def ask(stage: Stage, **values: Any) -> dict[str, Any]:
    control = Control(stage.gateway, MovingClock(stage.clock))
    return dict(json.loads(control.answer(json.dumps({"do": "settings", **values}).encode())))


def test_the_settings_of_a_running_gateway_are_shown_and_changed(stage: Stage) -> None:
    client = stage.a_client()
    assert ask(stage)["settings"]["read_only"] == "OFF"
    assert ask(stage, read_only="ORDERS_SHOWN")["settings"]["read_only"] == "ORDERS_SHOWN"
    assert kinds(stage.ask(client, place_order(1))) == ["error 321"]
    ask(stage, **{"read_only": "OFF", "execution_times": "UTC_DASH", "permissions.exchanges.CME": "NONE"})
    assert [each[15] for each in stage.ask(client, place_order(1)) if each[0] == "11"] == ["20211013-12:00:00"]
    assert kinds(stage.ask(client, market_data(5, a_contract()))) == ["error 354"]


def test_a_change_of_the_depth_of_the_market_reaches_the_exchange(stage: Stage) -> None:
    ask(stage, lots="30")
    stage.ask(stage.a_client(), place_order(1, quantity="70"))
    assert [fill.shares for fill in stage.gateway.book.executions] == [30, 30, 10]


def test_a_wrong_change_changes_nothing(stage: Stage) -> None:
    before = stage.gateway.settings
    assert "cannot be" in ask(stage, **{"limits.lines": "none", "lots": "5"})["error"]
    assert stage.gateway.settings == before


def started_with(*words: str) -> GatewaySettings:
    return settings_of(parser().parse_args(["--data", "markets", "--state", "var", *words]))


def test_a_gateway_without_words_has_the_settings_that_are_documented() -> None:
    assert started_with() == OLD


def test_a_flag_wins_over_the_scenario_and_leaves_the_rest_of_it(tmp_path: Path) -> None:
    path = str(scenario(tmp_path, EVERYTHING))
    found = started_with("--scenario", path, "--read-only", "ORDERS_HIDDEN", "--cash", "5", "--max-version", "200")
    assert (found.read_only, found.starting_cash, found.max_version) == (ReadOnly.ORDERS_HIDDEN, 5.0, 200)
    assert (found.zone, found.limits.lines, found.lots) == ("US/Central", 7, 5)
    assert [fault.kind for fault in found.faults] == [FaultKind.HOLD]


def test_flags_alone_are_settings_too() -> None:
    found = started_with("--real-hours", "--tif-preset", "--more-account", "DU8", "--more-account", "DU9")
    assert (found.real_hours, found.tif_preset, found.more_accounts) == (True, True, ("DU8", "DU9"))


def test_a_wrong_flag_is_answered_like_a_wrong_setting() -> None:
    with pytest.raises(ConfigError, match="The setting lots cannot be 0"):
        started_with("--lots", "0")


def test_every_setting_is_told_and_documented() -> None:
    document = (ROOT / "docs" / "how_to" / "simulated_gateway.md").read_text()
    document = document.partition("## Make it strict")[2].partition("\n## ")[0]
    rows = set(re.findall(r"^\| `([a-z_.]+)` \|", document, re.MULTILINE))
    assert rows == set(told(OLD))
