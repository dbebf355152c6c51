"""A small recorded market with numbers of our own, a clock in our hands, and a gateway process that uses both.

Wednesday 13 October 2021, 12:00 UTC (13:00 in London) is `NOON`. Prices move by whole points at known times:
ES stands at 4350.0 from NOON on, falls to 4340.0 at 12:10 and rises to 4360.0 at 12:20.
"""

import asyncio
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from trading.broker.simulated.permissions import Permissions, Subscription
from trading.broker.simulated.recorded_market import RecordedInstrument, RecordedMarket
from trading.broker.simulated.server import serve
from trading.broker.simulated.settings import GatewaySettings
from trading.clock import SystemClock
from trading.objects.instruments import BrokerInstrument, CurrencyPair, Instrument
from trading.objects.rolls import RollParameters

NOON = datetime(2021, 10, 13, 12, 0, tzinfo=UTC)
ACCOUNT = "DU0000001"
EURUSD = CurrencyPair(code="EURUSD", base="EUR", quote="USD")
JPYUSD = CurrencyPair(code="JPYUSD", base="JPY", quote="USD", inverted_at_broker=True)
ROLLS = RollParameters(hold_cycle="HMUZ", priced_cycle="HMUZ", roll_offset_days=-5, carry_offset=-1,
                       expiry_offset_days=16)


@dataclass(frozen=True)
class FileClock:
    """Shows the time that stands in a file, so that a test can move another process through the day."""

    path: Path

    def now(self) -> datetime:
        return datetime.fromisoformat(self.path.read_text())

    def monotonic_s(self) -> float:
        return SystemClock().monotonic_s()


def equity_prices() -> pd.DataFrame:
    """Hourly prints on weekdays from 1 September to noon, then three of the afternoon; ESZ1 priced, ESH2 forward."""
    hours = pd.date_range("2021-09-01 08:00", "2021-10-13 12:00", freq="h", tz="UTC")
    hours = hours[(hours.day_of_week < 5) & (hours.hour >= 8) & (hours.hour <= 20)]
    afternoon = pd.DatetimeIndex(["2021-10-13 12:10", "2021-10-13 12:20", "2021-10-15 19:00"], tz="UTC")
    prices = np.r_[4300.0 + np.arange(len(hours)) % 40, 4340.0, 4360.0, 4365.0]
    prices[len(hours) - 1] = 4350.0
    index = hours.append(afternoon)
    return pd.DataFrame({
        "PRICE": prices, "CARRY": prices + 5.0, "FORWARD": prices - 10.0,
        "PRICE_CONTRACT": "20211200", "CARRY_CONTRACT": "20210900", "FORWARD_CONTRACT": "20220300"}, index=index)


def daily_prices(start: float, count: int = 20) -> pd.DataFrame:
    """One print a weekday at 16:00 UTC until the day before NOON; the carry column has a label but no price."""
    index = pd.bdate_range("2021-09-15 16:00", periods=count, tz="UTC")
    return pd.DataFrame({
        "PRICE": start + np.arange(count) * 0.5, "CARRY": np.nan, "FORWARD": start + 1.0,
        "PRICE_CONTRACT": "20211200", "CARRY_CONTRACT": "20220600", "FORWARD_CONTRACT": "20220300"}, index=index)


def a_market() -> RecordedMarket:
    equity = RecordedInstrument(
        instrument=Instrument(code="SP500", point_size=50, currency="USD", slippage=0.125, cost_per_contract=2.0,
                              description="S&P 500 of tests"),
        broker=BrokerInstrument(code="SP500", symbol="ES", exchange="CME", currency="USD", multiplier="50"),
        rolls=ROLLS, prices=equity_prices())
    corn = RecordedInstrument(
        instrument=Instrument(code="CORN", point_size=50, currency="USD", slippage=0.25, cost_per_contract=2.5),
        broker=BrokerInstrument(code="CORN", symbol="ZC", exchange="CBOT", currency="USD", multiplier="5000"),
        rolls=ROLLS, prices=daily_prices(520.0))
    bund = RecordedInstrument(
        instrument=Instrument(code="BUND", point_size=1000, currency="EUR", slippage=0.01, cost_per_contract=1.5),
        broker=BrokerInstrument(code="BUND", symbol="GBL", exchange="EUREX", currency="EUR", multiplier="1000"),
        rolls=ROLLS, prices=daily_prices(170.0))
    days = pd.bdate_range("2021-09-01 23:00", periods=29, tz="UTC")
    fx = {EURUSD: pd.Series(1.16, index=days), JPYUSD: pd.Series(0.0088, index=days)}
    return RecordedMarket((equity, corn, bund), fx)


async def serve_until_killed(folder: Path) -> None:
    """Serve `folder`; its `port` file tells where, its `clock` file what time it is."""
    told = folder / "subscription"
    subscription = Subscription(told.read_text()) if told.exists() else Subscription.SUBSCRIBED
    settings = GatewaySettings(state=folder / "state", port=0, account=ACCOUNT,
                               permissions=Permissions(everywhere=subscription))

    def listening(port: int) -> None:
        (folder / "port.new").write_text(str(port))
        (folder / "port.new").rename(folder / "port")

    await serve(a_market(), settings, FileClock(folder / "clock"), listening)


def later(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


if __name__ == "__main__":
    asyncio.run(serve_until_killed(Path(sys.argv[1])))
