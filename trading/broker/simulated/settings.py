"""What a simulated gateway is told when it starts. Plain facts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from trading.broker.simulated.exchange_hours import Timetable, timetable
from trading.broker.simulated.faults.fault import Fault
from trading.broker.simulated.hours import ExecutionStamps, TimeStyle
from trading.broker.simulated.permissions import MarketLimits, Permissions
from trading.broker.simulated.price_grid import PriceGrid
from trading.broker.simulated.read_only import ReadOnly

CONTROL_SOCKET: Final = "control.sock"  # in the folder of the gateway
MIN_VERSION: Final = 157  # the one version inside every client's range (ib_wire.md 1.1)


@dataclass(frozen=True, kw_only=True)
class GatewaySettings:
    """One gateway: where it listens, whose account it keeps, which folder is its memory.

    `state` is a folder; it is created when missing and belongs to one gateway at a time. Port 0 takes a free one.
    """

    state: Path
    host: str = "127.0.0.1"
    port: int = 4002
    account: str = "DU0000001"
    more_accounts: tuple[str, ...] = ()
    base_currency: str = "USD"
    starting_cash: float = 5_000_000.0
    max_version: int = 178
    zone: str = "Europe/London"
    lots: int = 100  # offered at each price level at each print
    traded_a_minute: int = 0  # lots of each future that others trade between two prints, which are a lot each
    faults: tuple[Fault, ...] = ()  # that strike from the beginning, or wait
    tif_preset: bool = False  # warn of an order without a time in force: 10349
    permissions: Permissions = field(default_factory=Permissions)
    limits: MarketLimits = field(default_factory=MarketLimits)
    grids: Mapping[str, PriceGrid] = field(default_factory=dict)  # by symbol; others follow from the spread
    real_hours: bool = False  # each exchange by its own timetable; without, all are open Monday to Friday
    holidays: frozenset[date] = frozenset()
    read_only: ReadOnly = ReadOnly.OFF
    execution_times: TimeStyle = TimeStyle.BY_VERSION

    @property
    def accounts(self) -> tuple[str, ...]:
        return (self.account, *self.more_accounts)

    @property
    def tz(self) -> ZoneInfo:
        return ZoneInfo(self.zone)

    @property
    def stamps(self) -> ExecutionStamps:
        return ExecutionStamps(self.tz, self.execution_times)

    @property
    def timetable(self) -> Timetable:
        return timetable(self.zone, self.holidays, real_hours=self.real_hours)
