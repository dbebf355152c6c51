"""What a currency is worth in the one that reports are in."""

from trading.data.data_blob import DataBlob
from trading.errors import DataError


def newest_rate(data: DataBlob, currency: str, base: str) -> float:
    """The last stored rate; NaN where there is none."""
    try:
        return float(data.db_fx_prices.rate(currency, base).iloc[-1])
    except DataError:
        return float("nan")
