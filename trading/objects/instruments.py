"""An instrument: what we trade, what it costs, and what the broker calls it. Plain facts."""

from dataclasses import dataclass
from decimal import Decimal

from trading.errors import DataError


@dataclass(frozen=True, kw_only=True)
class Instrument:
    """One futures instrument, for example SP500.

    `slippage` is half of the usual spread in price points. Costs follow pysystemtrade: money per contract,
    fraction of the value, money per order; all in `currency`.
    """

    code: str
    point_size: float
    currency: str
    asset_class: str = ""
    description: str = ""
    slippage: float = 0.0
    cost_per_contract: float = 0.0
    cost_percentage: float = 0.0
    cost_per_order: float = 0.0

    def commission(self, contracts: int, price: float) -> float:
        """What the broker charges for one order of `contracts` at `price`, in `currency`; never negative."""
        value = abs(contracts * price * self.point_size)
        return max(abs(contracts) * self.cost_per_contract, self.cost_per_order if contracts else 0.0,
                   value * self.cost_percentage)

    def cost(self, contracts: int, price: float) -> float:
        """What one order of `contracts` at `price` costs: commission and half of the spread, in `currency`."""
        return self.commission(contracts, price) + abs(contracts) * self.slippage * self.point_size

    def cost_fraction(self, contracts: int, price: float) -> float:
        """The same as a fraction of what is traded; never negative.

        Raises:
            DataError: nothing is traded, or at a price of zero: no fraction of it is a cost.
        """
        value = abs(contracts * price * self.point_size)
        if not value > 0:
            raise DataError(f"{self.code}: {contracts} contracts at {price:g} are worth nothing, so their cost is no "
                            f"fraction of it. Ask for the cost in money.")
        return self.cost(contracts, price) / value


@dataclass(frozen=True, kw_only=True)
class BrokerInstrument:
    """How Interactive Brokers names an instrument.

    `multiplier` is the broker's (text, because several can exist for one symbol); `price_magnifier` is how many
    of the broker's price units make one of ours.
    """

    code: str
    symbol: str
    exchange: str
    currency: str
    multiplier: str = ""
    price_magnifier: int = 1
    ignore_weekly: bool = False


@dataclass(frozen=True, kw_only=True)
class CurrencyPair:
    """A rate `code` = value of one `base` in `quote`; the broker may trade it the other way round."""

    code: str
    base: str
    quote: str
    inverted_at_broker: bool = False


def tick_from_slippage(slippage: float) -> Decimal:
    """A price grid fine enough for prices whose half spread is `slippage`: a power of ten, at most a tenth of it.

    Used only where no contract details from a broker exist.
    """
    if slippage <= 0:
        return Decimal("0.0001")
    return Decimal(1).scaleb(Decimal(repr(slippage)).adjusted() - 1)
