"""What a session keeps about the streams that it asked for: whatever decides when there is news."""

from dataclasses import dataclass, field
from datetime import datetime

from trading.broker.simulated.listing import ListedContract
from trading.broker.simulated.quotes import Watch
from trading.broker.simulated.requests import RequestHistoricalData

Row = tuple[str, str]  # price and size, as the wire shows them


@dataclass
class Line:
    """A market data stream; `told` counts prints, `beside` lots that traded and stand in no print."""

    watch: Watch
    told: int
    beside: int = 0

    @property
    def contract(self) -> ListedContract:
        return self.watch.contract


@dataclass
class HistoryLine:
    """Bars that are kept up to date."""

    request: RequestHistoricalData
    contract: ListedContract
    told: int


@dataclass
class TickLine:
    """Every tick of one kind."""

    contract: ListedContract
    kind: str
    told: int


@dataclass
class DepthLine:
    """A book of `rows` on each side; `bids` and `asks` are what the client has built of it."""

    contract: ListedContract
    rows: int
    is_smart: bool
    bids: tuple[Row, ...] = ()
    asks: tuple[Row, ...] = ()


@dataclass
class BarLine:
    """Bars of five seconds; `told_until` is the end of the last one that was sent."""

    contract: ListedContract
    what_to_show: str
    told_until: datetime


@dataclass
class ProfitLine:
    """Profit of an account, or of one contract of it; `told` is the last message."""

    account: str
    con_id: int | None
    told: tuple[str, ...] = ()


@dataclass
class Streams:
    """Everything but quotes and historical bars, by request id."""

    ticks: dict[int, TickLine] = field(default_factory=dict)
    depths: dict[int, DepthLine] = field(default_factory=dict)
    bars: dict[int, BarLine] = field(default_factory=dict)
    profits: dict[int, ProfitLine] = field(default_factory=dict)
    positions: dict[int, tuple[str, str]] = field(default_factory=dict)  # account, or empty for all, and model
    accounts: dict[int, tuple[str, str]] = field(default_factory=dict)
    account: str = ""  # whose updates the session hears
    tick_requests: dict[tuple[int, str], float] = field(default_factory=dict)  # when, in monotonic seconds
    searched_s: float | None = None  # when symbols were looked up last
