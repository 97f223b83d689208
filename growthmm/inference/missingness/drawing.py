"""A linear regression that is drawn from its posterior distribution, for chained imputation."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, RegressorMixin

__all__ = ["DrawnRegression", "Draws"]

FloatArray = NDArray[np.float64]

RIDGE = 1e-8
"""Added to the predictors' correlation matrix, so that collinear ones do no harm."""


class Draws:
    """One stream of random numbers, shared by all copies of an estimator.

    Parameters
    ----------
    seed : SeedSequence
        Where it starts.
    """

    def __init__(self, seed: np.random.SeedSequence) -> None:
        self.rng = np.random.default_rng(seed)

    def __deepcopy__(self, memory: dict[int, Any]) -> Draws:
        # scikit-learn clones estimators; copies of the stream would repeat its numbers.
        return self


class DrawnRegression(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """Bayesian linear regression with parameters drawn once a fit.

    With a flat prior on coefficients and log variance, ``s^2 = RSS / chi2(n - p)`` and
    ``b = b_hat + s L z`` with ``L L' = (X'X)^-1`` (Rubin 1987, p. 167, doi:10.1002/9780470316696;
    the method ``norm`` of R's mice). All missing cells of a variable share the draw, which is what
    carries the uncertainty of the coefficients into the spread over imputations.

    Parameters
    ----------
    draws : Draws
        The stream of random numbers.
    """

    def __init__(self, draws: Draws | None = None) -> None:
        self.draws = draws

    def fit(self, X: FloatArray, y: FloatArray) -> DrawnRegression:
        """Draw coefficients and residual standard deviation given observed rows."""
        assert self.draws is not None
        rng = self.draws.rng
        self.center_ = X.mean(axis=0)
        spread = X.std(axis=0)
        self.scale_ = np.where(spread > 0, spread, 1.0)
        z = (X - self.center_) / self.scale_
        n, p = z.shape
        gram = z.T @ z + RIDGE * n * np.eye(p)
        root = np.linalg.cholesky(gram)
        slopes = np.linalg.solve(gram, z.T @ (y - y.mean()))
        rest = y - y.mean() - z @ slopes
        self.sigma_ = float(np.sqrt(rest @ rest / rng.chisquare(max(n - p - 1, 1))))
        self.slopes_ = slopes + self.sigma_ * np.linalg.solve(root.T, rng.standard_normal(p))
        self.level_ = float(y.mean() + self.sigma_ / np.sqrt(n) * rng.standard_normal())
        return self

    def predict(self, X: FloatArray, return_std: bool = False) -> Any:
        """The drawn regression's means, with its residual standard deviation where asked."""
        mean = self.level_ + ((X - self.center_) / self.scale_) @ self.slopes_
        return (mean, np.full(len(X), self.sigma_)) if return_std else mean
