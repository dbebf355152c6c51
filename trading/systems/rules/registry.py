"""Which rules there are, and what each needs. A rule is a plain function; it is imported when it is first used.

Its first parameters name what it is given (INPUTS: `price`, `volatility`, ...), the others are its settings. A rule of
one's own is named by its dotted path, as in `my_rules.fade`.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from trading.errors import ConfigError

if TYPE_CHECKING:
    import pandas as pd

    Rule = Callable[..., pd.Series]


@dataclass(frozen=True)
class ShippedRule:
    """Where it lies, and what has to be set."""

    module: str
    settings: tuple[str, ...]

    @property
    def path(self) -> str:
        return f"trading.systems.rules.{self.module}"


RULES: Final[Mapping[str, ShippedRule]] = {
    "accel": ShippedRule("moves", ("fast",)), "assettrend": ShippedRule("against_others", ("fast", "slow")),
    "bias": ShippedRule("moves", ("direction",)), "breakout": ShippedRule("breakout", ("lookback",)),
    "carry": ShippedRule("carry", ("smooth_days",)), "ewmac": ShippedRule("ewmac", ("fast", "slow")),
    "mr_wings": ShippedRule("moves", ("fast",)), "mrinasset": ShippedRule("against_others", ("horizon",)),
    "normmom": ShippedRule("moves", ("fast", "slow")), "relcarry": ShippedRule("against_others", ()),
    "relmomentum": ShippedRule("against_others", ("horizon",)),
    "skewabs": ShippedRule("against_others", ("days", "smooth")),
    "skewrv": ShippedRule("against_others", ("days", "smooth"))}
INPUTS: Final[Mapping[str, tuple[str, ...]]] = {  # each with the settings that it has itself
    "price": (), "volatility": (), "percentage_returns": (), "normalised_price": (), "raw_carry": (),
    "smooth_carry": (), "asset_class_price": (), "asset_class_carry": (), "skew_above_usual": ("days",),
    "skew_above_class": ("days",)}


def rule_function(name: str) -> "Rule":
    """The rule called `name`, or at that dotted path.

    Raises:
        ConfigError: there is none; the message says what there is.
    """
    if name in RULES:
        shipped: Rule = getattr(import_module(RULES[name].path), name)
        return shipped
    check_name(name)
    module, _, function = name.rpartition(".")
    try:
        found: Rule = getattr(import_module(module), function)
    except (ImportError, AttributeError) as error:
        raise ConfigError(f"the rule {name} cannot be imported ({error}); check the path, and that the module can be "
                          f"found by the service") from error
    return found


def inputs_of(rule: "Rule") -> tuple[str, ...]:
    """What `rule` is given."""
    return tuple(name for name in inspect.signature(rule).parameters if name in INPUTS)


def settings_of(rule: "Rule") -> tuple[str, ...]:
    """What has to be set: what its inputs need, and its own parameters."""
    of_inputs = (setting for name in inputs_of(rule) for setting in INPUTS[name])
    return (*of_inputs, *(name for name in inspect.signature(rule).parameters if name not in INPUTS))


def check_name(name: str) -> None:
    """
    Raises:
        ConfigError: that is neither a rule of ours nor the path of a function.
    """
    parts = name.split(".")
    if name not in RULES and (len(parts) < 2 or not all(part.isidentifier() for part in parts)):
        raise ConfigError(f"there is no rule {name} (there: {', '.join(RULES)}; one of your own is named by its dotted "
                          f"path, as in my_rules.fade)")


def check_settings(name: str, given: Mapping[str, Any]) -> None:
    """Whether `given` is what a rule of ours needs; one of somebody's own is only named here, see `check_own_rule`.

    Raises:
        ConfigError: there is no such rule; a setting is missing, unknown, or of the wrong kind.
    """
    check_name(name)
    if name not in RULES:
        return
    _check_complete(name, RULES[name].settings, given)
    for key, value in given.items():
        allowed = (1, -1) if key == "direction" else None
        if isinstance(value, bool) or not isinstance(value, int) or (value not in allowed if allowed else value < 1):
            wanted = "1 (long) or -1 (short)" if allowed else "a whole number of at least 1"
            raise ConfigError(f"{key} of rule {name} must be {wanted}; found {value!r}")
    if given.get("fast", 0) >= given.get("slow", 1 << 30):
        raise ConfigError(f"fast ({given['fast']}) must be smaller than slow ({given['slow']})")


def check_own_rule(name: str, given: Mapping[str, Any]) -> None:
    """Import a rule of one's own and see that it has the settings that it needs; what they mean is its owner's affair.

    Raises:
        ConfigError: it cannot be imported, or a setting is missing or unknown.
    """
    if name not in RULES:
        _check_complete(name, settings_of(rule_function(name)), given)


def _check_complete(name: str, needed: tuple[str, ...], given: Mapping[str, Any]) -> None:
    wrong = [f"missing: {key}" for key in needed if key not in given]
    wrong += [f"unknown: {key}" for key in given if key not in needed]
    if wrong:
        raise ConfigError(f"rule {name} needs exactly {', '.join(needed) or 'no settings'} ({', '.join(wrong)})")
