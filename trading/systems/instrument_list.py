"""Which instruments a system looks at, and which of them it trades. Pure.

Source: pysystemtrade.md 4.1. Nothing is left out in silence: each instrument that is not traded has its reason.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from trading.errors import ConfigError
from trading.systems.system_config import SystemConfig


@dataclass(frozen=True, kw_only=True)
class InstrumentList:
    """`codes`: part of the system; `not_traded`: why, of those that are named or have data but are not traded."""

    codes: tuple[str, ...]
    not_traded: Mapping[str, str]

    @property
    def traded(self) -> tuple[str, ...]:
        """Part of the system without a reason against it, in their order."""
        return tuple(code for code in self.codes if code not in self.not_traded)


def instrument_list(config: SystemConfig, available: tuple[str, ...]) -> InstrumentList:
    """What `config` makes of the instruments that have data.

    Raises:
        ConfigError: the data lack an instrument that is named, or nothing is left to trade.
    """
    named = config.named_instruments()
    missing = sorted(set(named or ()) - set(available))
    if missing:
        raise ConfigError(f"The system names instruments without prices: {', '.join(missing)} (available: "
                          f"{', '.join(available)}). Import them, or remove the names.")
    candidates = available if named is None else named
    absent, idle = dict(_absent(config)), dict(_idle(config))
    found = InstrumentList(
        codes=tuple(code for code in candidates if code not in absent),
        not_traded={code: (absent | idle)[code] for code in candidates if code in absent or code in idle})
    if candidates and not found.traded:
        reasons = "; ".join(f"{code}: {reason}" for code, reason in found.not_traded.items())
        raise ConfigError(f"The system has nothing left to trade: {reasons}. Take one of them off its list.")
    return found


def _absent(config: SystemConfig) -> Iterator[tuple[str, str]]:
    for used, copies in config.duplicate_instruments.items():
        for code in copies:
            yield code, f"{used} is used instead (duplicate_instruments)"
    for code in config.ignore_instruments:
        yield code, "it is ignored (ignore_instruments)"


def _idle(config: SystemConfig) -> Iterator[tuple[str, str]]:
    for code in config.bad_markets:
        yield code, "it is too dear or too thin (bad_markets)"
    for code in config.trading_restrictions:
        yield code, "we may not trade it (trading_restrictions)"
