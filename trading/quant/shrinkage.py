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
    sample = centred.T @ centred / len(centred)
    mean_variance = float(np.trace(sample)) / len(sample)
    distance = float(np.sum(sample * sample)) - len(sample) * mean_variance**2
    squares = np.einsum("ij,ij->i", centred, centred)
    noise = float(squares @ squares) / len(centred) ** 2 - float(np.sum(sample * sample)) / len(centred)
    intensity = min(noise / distance, 1.0) if distance > 0 else 1.0
    return Shrunk(covariance=_towards_identity(sample, intensity) * scale**2, intensity=intensity)


def ledoit_wolf_correlation(returns: Matrix) -> Shrunk:
    """The same on standardised returns: a correlation matrix, pulled towards no correlation. The volatilities are kept.

    Source: quant.md 1; the identity is a sensible target for correlations, not for variances of unlike instruments.
    """
    deviations = returns.std(axis=0)
    shrunk = ledoit_wolf_identity((returns - returns.mean(axis=0)) / deviations)
    correlation = shrunk.covariance / np.sqrt(np.outer(np.diag(shrunk.covariance), np.diag(shrunk.covariance)))
    return Shrunk(covariance=correlation, intensity=shrunk.intensity)


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
    scale = float(np.sqrt(np.mean(np.var(centred, axis=0))))
    return centred / scale, scale


def _towards_identity(sample: Matrix, intensity: float) -> Matrix:
    shrunk: Matrix = (1 - intensity) * sample
    shrunk[np.diag_indices_from(shrunk)] += intensity * float(np.trace(sample)) / len(sample)
    return shrunk


def _noise(centred: Matrix, sample: Matrix) -> float:
    """Sum over all pairs of the asymptotic variance of a sample covariance."""
    squares = np.einsum("ij,ij->i", centred, centred)
    return float(squares @ squares) / len(centred) - float(np.sum(sample * sample))


def _noise_of_target(centred: Matrix, sample: Matrix) -> float:
    """Sum over all pairs of the asymptotic covariance of the sample with the constant-correlation target."""
    deviations: Vector = np.sqrt(np.diag(sample))
    count = len(deviations)
    squares = centred * centred
    own = float(np.sum(squares * squares)) / len(centred) - float(np.sum(np.diag(sample) ** 2))
    if count < 2:
        return own
    average = (float((sample / np.outer(deviations, deviations)).sum()) - count) / (count * (count - 1))
    cubes = (squares * centred).T @ centred / len(centred) - np.diag(sample)[:, None] * sample
    np.fill_diagonal(cubes, 0.0)
    return own + average * float(np.sum(np.outer(1 / deviations, deviations) * cubes))
