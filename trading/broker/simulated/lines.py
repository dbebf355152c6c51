"""What a session keeps about a stream that it asked for: how many prints it has been told."""

from dataclasses import dataclass

from trading.broker.simulated.listing import ListedContract
from trading.broker.simulated.requests import RequestHistoricalData


@dataclass
class Line:
    """A market data stream."""

    contract: ListedContract
    told: int


@dataclass
class HistoryLine:
    """Bars that are kept up to date."""

    request: RequestHistoricalData
    contract: ListedContract
    told: int
