"""How far an estimated mean may be from the true one. Pure.

Source: Goldfarb and Iyengar (2003), Ceria and Stubbs (2006) for ellipsoids; Tütüncü and Koenig (2004) for boxes. An
ellipsoid of the covariance's own shape only raises the aversion to risk (Scherer 2007), so the diagonal is the default.
"""

from enum import StrEnum

import numpy as np

from trading.errors import DataError
from trading.quant.arrays import Matrix, Vector


class Radius(StrEnum):
    """The distribution that says how large an ellipsoid of a given confidence is."""

    CHI2 = "CHI2"            # the covariance is known
    HOTELLING = "HOTELLING"  # it was estimated from the same periods; needs more periods than instruments


class EllipsoidShape(StrEnum):
    """The axes of the ellipsoid."""

    DIAGONAL = "DIAGONAL"  # errors of the means are independent
    FULL = "FULL"          # they move as the returns do


def ellipsoid_radius(confidence: float, instruments: int, periods: int, radius: Radius = Radius.CHI2) -> float:
    """How many standard errors, of all means together, a set of this confidence reaches.

    Raises:
        DataError: `confidence` is not between 0 and 1; or HOTELLING with no more periods than instruments.
    """
    from scipy.stats import chi2, f

    _check(confidence)
    if radius is Radius.CHI2:
        return float(np.sqrt(chi2.ppf(confidence, instruments)))
    if periods <= instruments:
        raise DataError(f"Hotelling's radius needs more periods than instruments ({periods} and {instruments} given). "
                        f"Use CHI2 or a longer window.")
    stretch = instruments * (periods - 1) / (periods - instruments)
    return float(np.sqrt(stretch * f.ppf(confidence, instruments, periods - instruments)))


def ellipsoid_shape(covariance: Matrix, periods: int, shape: EllipsoidShape = EllipsoidShape.DIAGONAL) -> Matrix:
    """Covariance of the means, shape (n, n), in the units of `covariance`."""
    full = covariance / periods
    return np.diag(np.diag(full)) if shape is EllipsoidShape.DIAGONAL else full


def box(covariance: Matrix, periods: int, confidence: float, *, joint: bool = False) -> Vector:
    """Half the width of each mean's interval, shape (n,), in the units of the returns.

    Args:
        joint: all intervals hold together with `confidence` (Bonferroni), not each by itself.
    """
    from scipy.stats import norm

    _check(confidence)
    tails = (1 - confidence) / (len(covariance) if joint else 1)
    return np.asarray(norm.ppf(1 - tails / 2) * np.sqrt(np.diag(covariance) / periods), dtype=float)


def _check(confidence: float) -> None:
    if not 0 < confidence < 1:
        raise DataError(f"A confidence of {confidence} is not between 0 and 1. Write 0.95 for 95 %.")
