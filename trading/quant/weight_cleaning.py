"""Weights for all that shall have one, when only some could be estimated. Pure.

Source: pysystemtrade.md 5 (clean_weights): what could not be estimated gets a share by its number, but only a fraction
of it, for little is known of it; what shall have no weight gets none.
"""

import numpy as np

from trading.quant.arrays import Flags, Vector

FRACTION = 0.5  # of an equal share, for what could not be estimated


def cleaned_weights(weights: Vector, wanted: Flags, fraction: float = FRACTION) -> Vector:
    """Weights, shape (n,), NaN replaced; all zero when nothing is wanted.

    Args:
        weights: NaN where not estimated. wanted: true for those that must have a weight, shape (n,).
        fraction: from 0 to 1.

    Returns:
        Sum 1 when anything had to be changed; else `weights` as they are.
    """
    missing, known = np.isnan(weights) & wanted, ~np.isnan(weights)
    if bool(np.all(known & wanted)) or not np.any(wanted):
        return np.where(wanted, weights, 0.0)
    if not np.any(known & wanted):
        return wanted / np.sum(wanted)
    share = fraction * float(np.sum(missing)) / float(np.sum(missing) + np.sum(known))
    spread = share / max(int(np.sum(missing)), 1)
    result = np.where(missing, spread, np.where(known & wanted, np.nan_to_num(weights) * (1 - share), 0.0))
    return np.asarray(result / np.sum(result), dtype=float)
