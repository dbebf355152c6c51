"""How capital would have grown in a backtest, as a multiple of what it began with (pysystemtrade.md 9). Pure."""

import numpy as np
import pandas as pd

from trading.conventions import OURS, Conventions
from trading.errors import DataError


def full_multiplier(returns: pd.Series) -> pd.Series:
    """Capital at the end of each day when all profits and losses are traded with.

    Args:
        returns: of each day as a fraction of capital; NaN: nothing is known, capital stays.

    Returns:
        Multiples of the capital at the start, on the same days; what is lost altogether stays lost.

    Raises:
        DataError: a return is infinite.
    """
    return pd.Series(_growth(returns).cumprod(), index=returns.index)


def half_multiplier(returns: pd.Series, conventions: Conventions = OURS) -> pd.Series:
    """Capital at the end of each day when losses shrink it and profits restore it up to its start (else as above)."""
    if not conventions.gains_compound:
        return _damped(returns)
    everything = _growth(returns).cumprod()
    highest = np.maximum.accumulate(np.maximum(everything, 1.0))  # all that was not kept
    return pd.Series(everything / highest, index=returns.index)


def _growth(returns: pd.Series) -> np.ndarray:
    if np.isinf(returns.to_numpy(dtype=float)).any():
        raise DataError("A return is infinite: capital was divided by zero before. Look at the prices of that day.")
    growth: np.ndarray = np.maximum(1.0 + returns.fillna(0.0).to_numpy(dtype=float), 0.0)
    return growth


def _damped(returns: pd.Series) -> pd.Series:
    """The first known return is left out, and each other counts as often as there is capital left of the start."""
    changes = _growth(returns) - 1.0
    changes[:int(returns.notna().to_numpy().argmax()) + 1] = 0.0
    multiple, multiples = 1.0, []
    for change in changes.tolist():
        multiple = min(1.0, multiple * (1.0 + multiple * change))
        multiples.append(multiple)
    return pd.Series(multiples, index=returns.index, dtype=float)
