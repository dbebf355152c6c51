"""Covariances pulled towards a simple target, as far as the data themselves say. Pure; scale-free.

All moments here divide by T and are taken around the mean. A result never depends on the units of the returns: it is
computed on returns divided by their average standard deviation.
"""

from dataclasses import dataclass

import numpy as np

from trading.quant.arrays import Matrix, Vector


@dataclass(frozen=True, kw_only=True, eq=False)
class Shrunk:
    """A covariance, shape (n, n), and the weight of the target in it, from 0 to 1."""

    covariance: Matrix
    intensity: float


def ledoit_wolf_identity(returns: Matrix) -> Shrunk:
    """Towards equal variances without correlation.

    Args:
        returns: shape (T, n), T >= 2, no NaN.

    Source: Ledoit and Wolf (2004), "A well-conditioned estimator for large-dimensional covariance matrices", Journal of
        Multivariate Analysis 88.
    """
    centred, scale = _centred(returns)
    shrunk = _shrunk_to_identity(centred)
    return Shrunk(covariance=shrunk.covariance * scale**2, intensity=shrunk.intensity)


def ledoit_wolf_correlation(returns: Matrix) -> Shrunk:
    """The same on standardised returns: a correlation matrix, pulled towards no correlation. The volatilities are kept.

    Source: quant.md 1; the identity is a sensible target for correlations, not for variances of unlike instruments.
    """
    standardised = returns - returns.mean(axis=0)
    standardised /= np.sqrt(np.einsum("ij,ij->j", standardised, standardised) / len(returns))
    shrunk = _shrunk_to_identity(standardised)
    deviations = np.sqrt(np.diag(shrunk.covariance))
    return Shrunk(covariance=shrunk.covariance / np.outer(deviations, deviations), intensity=shrunk.intensity)


def ledoit_wolf_constant_correlation(returns: Matrix) -> Shrunk:
    """Towards the sample's own variances with every correlation equal to the average one.

    Source: Ledoit and Wolf (2004), "Honey, I Shrunk the Sample Covariance Matrix", Journal of Portfolio Management
        30(4), appendix B.
    """
    centred, scale = _centred(returns)
    sample = centred.T @ centred / len(centred)
    target = constant_correlation(sample)
    distance = float(np.sum((sample - target) ** 2))
    strength = (_noise(centred, sample) - _noise_of_target(centred, sample)) / distance if distance > 0 else 0.0
    intensity = max(0.0, min(1.0, strength / len(centred)))
    return Shrunk(covariance=((1 - intensity) * sample + intensity * target) * scale**2, intensity=intensity)


def oracle_approximating(returns: Matrix) -> Shrunk:
    """Towards equal variances without correlation, with the intensity that is best for normal returns.

    Source: the estimator as scikit-learn ships it; Chen et al. (2010) eq. 23 differs slightly: `chen_intensity`.
    """
    from sklearn.covariance import OAS

    centred, scale = _centred(returns)
    fitted = OAS(assume_centered=True, store_precision=False).fit(centred)
    return Shrunk(covariance=np.asarray(fitted.covariance_) * scale**2, intensity=float(fitted.shrinkage_))


def chen_intensity(returns: Matrix) -> float:
    """The intensity of the oracle-approximating estimator as its authors print it.

    Source: Chen, Wiesel, Eldar and Hero (2010), "Shrinkage Algorithms for MMSE Covariance Estimation", eq. 23.
    """
    centred, _ = _centred(returns)
    sample, (rows, count) = centred.T @ centred / len(centred), centred.shape
    squares, trace2 = float(np.sum(sample * sample)), float(np.trace(sample)) ** 2
    above = (1 - 2 / count) * squares + trace2
    below = (rows + 1 - 2 / count) * (squares - trace2 / count)
    return min(1.0, above / below) if below > 0 else 1.0


def constant_correlation(covariance: Matrix) -> Matrix:
    """`covariance` with each correlation replaced by the average of all pairs."""
    deviations = np.sqrt(np.diag(covariance))
    count = len(deviations)
    if count < 2:
        return covariance.copy()
    correlation = covariance / np.outer(deviations, deviations)
    average = (float(correlation.sum()) - count) / (count * (count - 1))
    target = average * np.outer(deviations, deviations)
    np.fill_diagonal(target, np.diag(covariance))
    return target


def _centred(returns: Matrix) -> tuple[Matrix, float]:
    """Returns around their means in units of their typical deviation, and that deviation."""
    centred = returns - returns.mean(axis=0)
    scale = float(np.linalg.norm(centred)) / np.sqrt(centred.size)
    centred /= scale
    return centred, float(scale)


def _shrunk_to_identity(centred: Matrix) -> Shrunk:
    sample: Matrix = centred.T @ centred / len(centred)
    level = float(np.trace(sample)) / len(sample)
    distance = float(np.vdot(sample, sample)) - len(sample) * level**2
    intensity = min(_noise(centred, sample) / len(centred) / distance, 1.0) if distance > 0 else 1.0
    sample *= 1 - intensity
    sample[np.diag_indices_from(sample)] += intensity * level
    return Shrunk(covariance=sample, intensity=intensity)


def _noise(centred: Matrix, sample: Matrix) -> float:
    """Sum over all pairs of the asymptotic variance of a sample covariance."""
    squares = np.einsum("ij,ij->i", centred, centred)
    return float(squares @ squares) / len(centred) - float(np.vdot(sample, sample))


def _noise_of_target(centred: Matrix, sample: Matrix) -> float:
    """Sum over all pairs of the asymptotic covariance of the sample with the constant-correlation target.

    The double sum over pairs i, j of E[x_i^3 x_j] d_j / d_i, d the deviations, is one mean of a product of two sums.
    """
    deviations: Vector = np.sqrt(np.diag(sample))
    count, squares = len(deviations), centred * centred
    own = float(np.vdot(squares, squares)) / len(centred) - float(np.sum(np.diag(sample) ** 2))
    if count < 2:
        return own
    average = (float((sample / np.outer(deviations, deviations)).sum()) - count) / (count * (count - 1))
    squares *= centred
    all_pairs = float((squares @ (1 / deviations)) @ (centred @ deviations)) / len(centred)
    return own + average * (all_pairs - float(deviations @ sample @ deviations) - own)
