"""A covariance that a few wild periods cannot bend. Pure.

Source: Rousseeuw (1984); the fast search of Rousseeuw and van Driessen (1999) as scikit-learn ships it, which starts
from random subsets: the same seed gives the same answer, another one may give one of nearly the same determinant.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, islice
from math import comb
from typing import Final

import numpy as np

from trading.errors import DataError
from trading.quant.arrays import Flags, Matrix, Places, Vector

MOST_SUBSETS: Final = 200_000  # that are worth looking at one by one


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
        warnings.simplefilter("ignore")  # what it warns of is an error below
        fitted = MinCovDet(random_state=seed).fit(returns / float(np.mean(scale)))
    covariance = np.asarray(fitted.covariance_) * float(np.mean(scale)) ** 2
    if np.linalg.matrix_rank(covariance / np.outer(scale, scale)) < count:
        raise DataError(f"Most periods of the {count} instruments lie in a plane, so their minimum covariance "
                        f"determinant is zero. Leave out copies, or use Ledoit-Wolf.")
    return RobustFit(location=np.asarray(fitted.location_) * float(np.mean(scale)), covariance=covariance,
                     kept=np.asarray(fitted.support_))


def compact_subset(returns: Matrix, size: int) -> Places:
    """The `size` periods whose covariance has the least determinant, by looking at every subset: for short histories.

    Args:
        returns: shape (T, n), no NaN; n < size <= T.

    Raises:
        DataError: `size` does not fit, or there are more than 200,000 subsets.
    """
    rows, count = returns.shape
    if not count < size <= rows:
        raise DataError(f"A subset of {size} of {rows} periods does not fit {count} instruments. It needs more periods "
                        f"than instruments.")
    if comb(rows, size) > MOST_SUBSETS:
        raise DataError(f"{rows} periods have {comb(rows, size)} subsets of {size}, too many to look at each. Use "
                        f"minimum_covariance_determinant.")
    best, least = np.arange(size), np.inf
    for subsets in _in_batches(rows, size):
        chosen = returns[subsets]
        centred = chosen - chosen.mean(axis=1, keepdims=True)
        determinants = np.linalg.det(np.einsum("sti,stj->sij", centred, centred) / size)
        where = int(np.argmin(determinants))
        if determinants[where] < least:
            best, least = subsets[where], float(determinants[where])
    return best


def _in_batches(rows: int, size: int, batch: int = 4096) -> Iterator[Places]:
    subsets = combinations(range(rows), size)
    while some := list(islice(subsets, batch)):
        yield np.array(some, dtype=np.intp)
