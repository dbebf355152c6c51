"""Which rules there are, and what each needs. A rule is a plain function.

Its first parameters name what it is given (INPUTS: `price`, `volatility`, ...), the others are its settings. A rule of
one's own is named by its dotted path, as in `my_rules.fade`.
"""

import inspect
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, Final

import pandas as pd

from trading.errors import ConfigError
from trading.systems.rules import against_others, moves
from trading.systems.rules.breakout import breakout
from trading.systems.rules.carry import carry
from trading.systems.rules.ewmac import ewmac

Rule = Callable[..., pd.Series]

RULES: Final[Mapping[str, Rule]] = {
    "accel": moves.accel, "assettrend": against_others.assettrend, "bias": moves.bias, "breakout": breakout,
    "carry": carry, "ewmac": ewmac, "mr_wings": moves.mr_wings, "mrinasset": against_others.mrinasset,
    "normmom": moves.normmom, "relcarry": against_others.relcarry, "relmomentum": against_others.relmomentum,
    "skewabs": against_others.skewabs, "skewrv": against_others.skewrv}
INPUTS: Final[Mapping[str, tuple[str, ...]]] = {  # each with the settings that it has itself
    "price": (), "volatility": (), "percentage_returns": (), "normalised_price": (), "raw_carry": (),
    "smooth_carry": (), "asset_class_price": (), "asset_class_carry": (), "skew_above_usual": ("days",),
    "skew_above_class": ("days",)}


def rule_function(name: str) -> Rule:
    """The rule called `name`, or at that dotted path.

    Raises:
        ConfigError: there is none; the message says what there is.
    """
    if name in RULES:
        return RULES[name]
    module, _, function = name.rpartition(".")
    if not module:
        raise ConfigError(f"there is no rule {name} (there: {', '.join(RULES)}; one of your own is named by its dotted "
                          f"path, as in my_rules.fade)")
    try:
        found: Rule = getattr(import_module(module), function)
    except (ImportError, AttributeError) as error:
        raise ConfigError(f"the rule {name} cannot be imported ({error}); check the path, and that the module can be "
                          f"found by the service") from error
    return found


def inputs_of(rule: Rule) -> tuple[str, ...]:
    """What `rule` is given."""
    return tuple(name for name in inspect.signature(rule).parameters if name in INPUTS)


def settings_of(rule: Rule) -> tuple[str, ...]:
    """What has to be set: what its inputs need, and its own parameters."""
    of_inputs = (setting for name in inputs_of(rule) for setting in INPUTS[name])
    return (*of_inputs, *(name for name in inspect.signature(rule).parameters if name not in INPUTS))


def check_settings(name: str, given: Mapping[str, Any]) -> None:
    """
    Raises:
        ConfigError: a setting of the rule is missing, unknown, or of the wrong kind.
    """
    needed = settings_of(rule_function(name))
    if set(needed) != set(given):
        raise ConfigError(f"rule {name} needs exactly {', '.join(needed) or 'no settings'}")
    if name not in RULES:
        return  # what the settings of somebody's own rule mean is his affair
    for key, value in given.items():
        allowed = (1, -1) if key == "direction" else None
        if isinstance(value, bool) or not isinstance(value, int) or (value not in allowed if allowed else value < 1):
            wanted = "1 (long) or -1 (short)" if allowed else "a whole number of at least 1"
            raise ConfigError(f"{key} of rule {name} must be {wanted}; found {value!r}")
    if given.get("fast", 0) >= given.get("slow", 1 << 30):
        raise ConfigError(f"fast ({given['fast']}) must be smaller than slow ({given['slow']})")
