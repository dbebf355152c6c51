"""What the configuration says about the house: when its trading day begins, whose account, which strategies."""

from zoneinfo import ZoneInfo

from trading.config import Config
from trading.control.trading_day import TradingDays
from trading.data.trading_desk.records import House


def trading_days(config: Config) -> TradingDays:
    """When a trading day begins, as configured."""
    rule = config.service.trading_day
    return TradingDays(zone=ZoneInfo(rule.timezone) if rule.timezone else config.service.zone, starts_at=rule.starts_at)


def house_of(config: Config) -> House:
    """What the trading desk must know."""
    return House(account=config.service.broker.account, strategies=frozenset(config.strategies),
                 trading_day=trading_days(config).day_of, statement_zone=config.service.statement_zone)
