"""SystemConfig: defaults, and what is refused with its key."""

from typing import Any

import pytest

from trading.errors import ConfigError
from trading.systems.production_system import system_config

TREND = {"rule": "ewmac", "fast": 16, "slow": 64, "scalar": 3.75, "weight": 1.0}


def test_defaults() -> None:
    config = system_config({"forecast_rules": {"trend": TREND}})
    assert (config.instruments, config.instrument_weights, config.forecast_cap) == ("all", None, 20.0)
    assert (config.buffer_size, config.buffer_method, config.timezone) == (0.10, "position", "Europe/London")


REFUSED: tuple[tuple[dict[str, Any], str], ...] = (
    ({"bufer_size": 0.1}, "system.bufer_size: unknown key (did you mean buffer_size?)."),
    ({"buffer_size": 1.0}, "system.buffer_size: Input should be less than 1; found 1.0."),
    ({"instrument_div_multiplier": 2.6}, "system.instrument_div_multiplier: a multiplier is a number "
                                         "above 0 and at most 2.5, or estimated; found 2.6."),
    ({"percentage_vol_target": float("nan")}, "system.percentage_vol_target: Input should be a finite "
                                              "number; found nan."),
    ({"timezone": "Europe/Atlantis"}, "system.timezone: 'Europe/Atlantis' is no time "
                                      "zone; write a name such as Europe/London."),
    ({"instruments": ["A", "A"]}, "system: instruments names one of them twice."),
    ({"instruments": ["A", "B"], "instrument_weights": {"A": 0.5, "C": 0.5}},
     "system: instruments and instrument_weights differ in B, C."),
    ({"instrument_weights": {"A": 0.0}},
     "system: instrument_weights adds up to nothing; leave it out for equal weights."),
    ({"instrument_weights": {"A": -0.1}}, "system.instrument_weights.A: Input should be greater than "
                                          "or equal to 0; found -0.1."),
    ({"forecast_rules": {"t": TREND | {"slow": None}}},
     "system.forecast_rules.t: rule ewmac needs exactly fast, slow (missing: slow)."),
    ({"forecast_rules": {"t": TREND | {"lookback": 10}}},
     "system.forecast_rules.t: rule ewmac needs exactly fast, slow (unknown: lookback)."),
    ({"forecast_rules": {"t": TREND | {"fast": 64}}},
     "system.forecast_rules.t: fast (64) must be smaller than slow (64)."),
    *(({"forecast_rules": {"t": TREND | {"scalar": scalar}}},
       f"system.forecast_rules.t.scalar: a scalar is a number above 0, or estimated, or pooled; found "
       f"{scalar!r}.") for scalar in ("guessed", 0, -1.0, True, None, float("inf"))),
    *(({"instruments": instruments},
       f"system.instruments: write all, or a list of codes (one that looks like a number or like yes in quotes); found "
       f"{instruments!r}.") for instruments in ([], "some", None, ["A", False], 5)),
    ({"risk_overlay": {"levrage": 3}}, "system.risk_overlay.levrage: unknown key (did you mean leverage?)."),
    ({"conventions": "mine"},
     "system.conventions: Input should be 'ours' or 'pysystemtrade'; found 'mine'."),
)


@pytest.mark.parametrize(("settings", "message"), REFUSED)
def test_a_mistake_is_refused_with_its_key(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        system_config({"forecast_rules": {"trend": TREND}, **settings})
    assert str(refusal.value) == message
