"""The numbers of the controls for this account: the defaults of the reference, and what tradingd.yaml says instead."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from trading.config import Config
from trading.data.risk.instrument_risk import InstrumentRisk
from trading.risk.settings import RiskSettings

DEFAULTS: Final = RiskSettings()
QUIET_VOLATILITY: Final = 0.03  # a year, of the price: what is quieter is money-market paper or a short bond
_VOL_TARGET: Final = 20.0  # percent, of a strategy that does not say


def risk_settings(config: Config) -> RiskSettings:
    """The settings of all controls."""
    said, target = config.service.risk, vol_target(config)
    size = replace(DEFAULTS.size, order_risk_soft=said.order_risk_soft, order_risk_hard=said.order_risk_hard,
                   order_notional_hard=said.order_notional_hard, gross_notional_per_nav=said.gross_notional,
                   class_risk_share=said.class_risk_share, instrument_risk_share=said.instrument_risk_share)
    automatic = replace(DEFAULTS.automatic, risk_target=target, largest_order=largest_order(config))
    return replace(DEFAULTS, version="tradingd.yaml", base_currency=config.service.base_currency, size=size,
                   automatic=automatic)


def vol_target(config: Config) -> float:
    """The highest volatility that a strategy is configured for, a share of the capital a year."""
    said = [float(each.system.get("percentage_vol_target", _VOL_TARGET)) for each in config.strategies.values()]
    return max(said, default=_VOL_TARGET) / 100


def largest_order(config: Config) -> int:
    """Lots of one broker order; a recorded print offers many at once, and is one order's time."""
    said = config.service.risk.largest_order
    if said is not None:
        return said
    is_recorded = config.service.mode == "simulated"
    return config.service.broker.simulated.lots if is_recorded else DEFAULTS.automatic.largest_order


def for_account(settings: RiskSettings, risks: Mapping[str, InstrumentRisk]) -> RiskSettings:
    """The settings for the instruments that are really traded.

    An instrument's share of the risk may be several even shares when there are few; and the notional of an instrument
    that hardly moves says nothing about its risk (RC-09's exempt list of short-rate futures).
    """
    share = min(1.0, settings.automatic.even_shares / max(1, len(risks)))
    classes = len({risk.instrument.asset_class for risk in risks.values()})
    quiet = {code for code, risk in risks.items() if _is_quiet(risk)}
    size = replace(settings.size, instrument_risk_share=max(settings.size.instrument_risk_share, share),
                   class_risk_share=max(settings.size.class_risk_share, min(1.0, 2.5 / max(1, classes))),
                   notional_exempt=frozenset(quiet))
    return replace(settings, size=size)


def _is_quiet(risk: InstrumentRisk) -> bool:
    return risk.annual_risk is not None and bool(risk.notional) and risk.annual_risk < QUIET_VOLATILITY * (
        risk.notional or 0.0)
