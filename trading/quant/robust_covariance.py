"""A covariance that a few wild periods cannot bend. Pure.

Source: Rousseeuw (1984); the fast search of Rousseeuw and van Driessen (1999) as scikit-learn ships it, which starts
from random subsets: the same seed gives the same answer, another one may give one of nearly the same determinant.
"""

from dataclasses import dataclass

import numpy as np

from trading.errors import DataError
from trading.quant.arrays import Flags, Matrix, Vector


@dataclass(frozen=True, kw_only=True, eq=False)
class RobustFit:
    """Location, shape (n,), and covariance, shape (n, n); `kept` is true for the periods (T,) it is made of."""

    location: Vector
    covariance: Matrix
    kept: Flags


def minimum_covariance_determinant(returns: Matrix, seed: int) -> RobustFit:
    """The covariance of the most compact half of the periods, corrected and reweighted.

    Args:
        returns: shape (T, n), T > n, no NaN; fewer than 5 n periods make it unsteady.

    Raises:
        DataError: T <= n, or half of the periods lie in a plane.
    """
    import warnings

    from sklearn.covariance import MinCovDet

    rows, count = returns.shape
    if rows <= count:
        raise DataError(f"{rows} periods are too few for the minimum covariance determinant of {count} instruments; it "
                        f"needs more periods than instruments, better five times as many. Use Ledoit-Wolf.")
    scale = returns.std(axis=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        fitted = MinCovDet(random_state=seed).fit(returns / float(np.mean(scale)))
    covariance = np.asarray(fitted.covariance_) * float(np.mean(scale)) ** 2
    if np.linalg.matrix_rank(covariance / np.outer(scale, scale)) < count:
        raise DataError(f"Most periods of the {count} instruments lie in a plane, so their minimum covariance "
                        f"determinant is zero. Leave out copies, or use Ledoit-Wolf.")
    return RobustFit(location=np.asarray(fitted.location_) * float(np.mean(scale)), covariance=covariance,
                     kept=np.asarray(fitted.support_))
