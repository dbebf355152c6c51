"""Price series by what they are prices of: contracts, instruments, currency pairs."""

import pandas as pd
from pymongo.client_session import ClientSession

from trading.data.mongo.connection import MongoStore
from trading.data.mongo.series import MongoSeries
from trading.objects.contracts import Contract
from trading.objects.fx_prices import FxPrices, rate
from trading.objects.multiple_prices import MULTIPLE_COLUMNS, normalised
from trading.objects.prices import BAR_COLUMNS


class MongoFuturesContractPriceData:
    """Bars of single contracts."""

    def __init__(self, store: MongoStore) -> None:
        self._series = MongoSeries(store.database.contract_prices, BAR_COLUMNS)

    def contracts(self) -> list[Contract]:
        return [Contract.parse(key) for key in self._series.stored_keys()]

    def load(self, contract: Contract) -> pd.DataFrame:
        return self._series.load(contract.key)

    def append(self, contract: Contract, bars: pd.DataFrame) -> int:
        """Add the bars newer than the last one; how many that were."""
        return self._series.append(contract.key, bars)


class MongoMultiplePrices:
    """Price, carry and forward of each instrument."""

    def __init__(self, store: MongoStore) -> None:
        self.series = MongoSeries(store.database.multiple_prices, MULTIPLE_COLUMNS)

    def codes(self) -> list[str]:
        return self.series.stored_keys()

    def load(self, code: str) -> pd.DataFrame:
        return normalised(self.series.load(code))

    def load_since(self, code: str, year: int) -> pd.DataFrame:
        return normalised(self.series.load_since(code, year))

    def append(self, code: str, frame: pd.DataFrame, session: ClientSession | None = None) -> int:
        return self.series.append(code, frame, session)


class MongoAdjustedPrices:
    """The continuous series of each instrument; a roll rewrites it."""

    def __init__(self, store: MongoStore) -> None:
        self.series = MongoSeries(store.database.adjusted_prices, ("PRICE",))

    def codes(self) -> list[str]:
        return self.series.stored_keys()

    def load(self, code: str) -> pd.Series:
        return self.series.load(code)["PRICE"]

    def append(self, code: str, prices: pd.Series, session: ClientSession | None = None) -> int:
        return self.series.append(code, prices.to_frame("PRICE"), session)

    def replace(self, code: str, prices: pd.Series, session: ClientSession | None = None) -> None:
        self.series.replace(code, prices.to_frame("PRICE"), session)


class MongoFxPrices:
    """Daily rates, each pair against the dollar as it was imported; crosses are computed."""

    def __init__(self, store: MongoStore) -> None:
        self.series = MongoSeries(store.database.fx_prices, ("PRICE",))

    def pairs(self) -> list[str]:
        return self.series.stored_keys()

    def load(self, pair: str) -> FxPrices:
        return FxPrices(pair, self.series.load(pair)["PRICE"])

    def append(self, pair: str, rates: pd.Series) -> int:
        return self.series.append(pair, rates.to_frame("PRICE"))

    def rate(self, currency: str, base: str) -> pd.Series:
        """The value of one `currency` in `base` over time (UTC index).

        Raises:
            DataError: neither pair nor its cross over the dollar is stored.
        """
        return rate(currency, base, self.load)
