"""Means and covariances that stand in for complete data."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from growthmm.errors import ColumnNotFoundError, DataError
from growthmm.rendering import Shown

if TYPE_CHECKING:
    import pandas

__all__ = ["Moments"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False, init=False)
class Moments(Shown):
    """Sample size, means and covariances of complete wide data, as printed in a paper, say.

    Parameters
    ----------
    mean : (n_variables,) array_like
        Means.
    cov : (n_variables, n_variables) array_like
        Covariance matrix; of rows of growing length only the lower triangle is given.
    n : int
        Number of persons.
    names : sequence of str, optional
        The variables, as the model names them. Taken from a pandas `cov` or `mean` where None;
        otherwise ``x1``, ``x2`` and so on.
    ddof : int
        The divisor of `cov` is ``n - ddof``: 0 as maximum likelihood has it, 1 as most programs
        print it.

    Raises
    ------
    DataError
        If sizes do not match, a value is not finite, or `cov` is not symmetric or no covariance
        matrix (a negative eigenvalue).

    Examples
    --------
    >>> printed = Moments([2.6, 2.7], [[0.10], [0.06, 0.12]], n=200, names=["gpa_0", "gpa_1"])
    >>> printed.cov
    array([[0.1 , 0.06],
           [0.06, 0.12]])
    >>> bool(np.allclose(printed.draw().mean(), printed.mean))
    True
    """

    _html: ClassVar[str] = "moments.html"

    mean: FloatArray
    cov: FloatArray
    n: int
    names: tuple[str, ...]
    ddof: int

    def __init__(
        self,
        mean: ArrayLike,
        cov: ArrayLike | Sequence[Sequence[float]],
        n: int,
        names: Sequence[str] | None = None,
        *,
        ddof: int = 0,
    ) -> None:
        names = _names(mean, cov, names)
        means = _numbers(mean, "mean")
        covariances = _full(cov)
        _check_sizes(means, covariances, names)
        _check_n(n, ddof)
        names = names or tuple(f"x{j + 1}" for j in range(means.size))
        _check_covariance(covariances, names)
        covariances = (covariances + covariances.T) / 2
        means.setflags(write=False)
        covariances.setflags(write=False)
        for name, value in (
            ("mean", means),
            ("cov", covariances),
            ("n", int(n)),
            ("names", names),
            ("ddof", int(ddof)),
        ):
            object.__setattr__(self, name, value)

    def __repr__(self) -> str:
        shown = ", ".join(self.names[:4]) + (", ..." if len(self.names) > 4 else "")
        many = f"{len(self.names)} variable{'s' * (len(self.names) != 1)}"
        return f"<Moments of {self.n} persons: {many}, {shown}>"

    @classmethod
    def of(cls, data: object, names: Sequence[str] | None = None) -> Moments:
        """The maximum likelihood moments (divisor n) of complete wide data.

        Parameters
        ----------
        data : frame, str or Path
            Wide data of any kind.
        names : sequence of str, optional
            Which columns; all where None.

        Returns
        -------
        Moments
            Their moments.

        Raises
        ------
        ColumnNotFoundError, ValueColumnError
            If a column is not there or holds no numbers.
        DataError
            If a value is missing, or there are no rows.
        """
        from growthmm.data.frames import as_pandas, numeric_column

        frame = as_pandas(data)
        chosen = tuple(map(str, frame.columns)) if names is None else tuple(names)
        if len(frame) == 0 or not chosen:
            raise DataError("There are no data.", hint="Moments need rows and columns.")
        values = np.column_stack([numeric_column(frame, name) for name in chosen])
        gaps = np.isnan(values).sum(axis=0)
        if gaps.any():
            worst = int(np.argmax(gaps))
            raise DataError(
                f"The column {chosen[worst]!r} has {gaps[worst]} missing values.",
                hint="Moments stand for complete data only: fit the data themselves.",
            )
        mean = values.mean(axis=0)
        values = values - mean
        correction = values.mean(axis=0)
        values -= correction
        return cls(mean + correction, values.T @ values / len(frame), len(frame), chosen)

    @property
    def ml_cov(self) -> FloatArray:
        """The covariance matrix with divisor n, shape (n_variables, n_variables)."""
        return self.cov * ((self.n - self.ddof) / self.n)

    def select(self, names: Sequence[str]) -> Moments:
        """The moments of some of the variables, in the order given.

        Parameters
        ----------
        names : sequence of str
            The variables.

        Returns
        -------
        Moments
            Theirs alone.

        Raises
        ------
        ColumnNotFoundError
            If one is not among `self.names`.
        """
        from growthmm.data.wording import listed, nearest

        for name in names:
            if name not in self.names:
                raise ColumnNotFoundError(
                    f"There is no variable {name!r} among the moments.",
                    hint=f"{nearest(name, self.names)}Variables: {listed(self.names, limit=30)}.",
                )
        at = [self.names.index(name) for name in names]
        return Moments(
            self.mean[at], self.cov[np.ix_(at, at)], self.n, tuple(names), ddof=self.ddof
        )

    def draw(self, seed: int = 0) -> pandas.DataFrame:
        """Draw normal data whose sample moments are exactly these.

        Standard normal columns are centred and made orthogonal (QR), then multiplied by a factor
        of the covariance matrix.

        Parameters
        ----------
        seed : int
            Seed of the random numbers.

        Returns
        -------
        pandas.DataFrame
            `n` rows; means `mean` and covariance `cov` with divisor ``n - ddof`` but for
            rounding.

        Raises
        ------
        DataError
            If `n` is too small: that many rows cannot have a covariance matrix of this rank.
        """
        import pandas

        return pandas.DataFrame(_exact_sample(self, seed), columns=list(self.names))


def _names(mean: Any, cov: Any, names: Sequence[str] | None) -> tuple[str, ...]:
    if names is not None:
        if isinstance(names, str):
            raise DataError(f"names= is the text {names!r}.", hint="Give a list of names.")
        found = tuple(names)
    else:
        labels = getattr(cov, "columns", getattr(mean, "index", None))
        found = () if labels is None or callable(labels) else tuple(map(str, labels))
    if len(set(found)) < len(found):
        twice = next(name for name in found if found.count(name) > 1)
        raise DataError(f"The variable {twice!r} is named twice.", hint="Names must differ.")
    for what, axis in ((mean, "index"), (cov, "index"), (cov, "columns")):
        labels = getattr(what, axis, None)
        if labels is None or callable(labels):
            continue
        if tuple(map(str, labels)) != found:
            raise DataError(
                "The labels of mean, cov and names do not agree: "
                f"{', '.join(map(str, labels))} against {', '.join(found)}.",
                hint="Put all in the same order, or pass plain arrays with names=.",
            )
    return found


def _numbers(values: ArrayLike, what: str) -> FloatArray:
    try:
        array = np.array(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(
            f"The {what} cannot be read as numbers: {error}", hint="Pass plain numbers."
        ) from error
    if not np.isfinite(array).all():
        raise DataError(
            f"The {what} has values that are not finite.",
            hint="Moments stand for complete data: give every mean, variance and covariance.",
        )
    return array


def _full(cov: Any) -> FloatArray:
    if not hasattr(cov, "shape") and not np.isscalar(cov):
        if cov is None:
            raise DataError("There is no covariance matrix.", hint="Give its rows.")
        rows = [np.atleast_1d(np.asarray(row, dtype=object)) for row in cov]
        lengths = [row.size for row in rows]
        if len(rows) > 1 and lengths == list(range(1, len(rows) + 1)):
            full = np.zeros((len(rows), len(rows)))
            for j, row in enumerate(rows):
                full[j, : j + 1] = full[: j + 1, j] = _numbers(row, "covariance matrix")
            return full
    return _numbers(cov, "covariance matrix")


def _check_sizes(mean: FloatArray, cov: FloatArray, names: tuple[str, ...]) -> None:
    size = mean.size
    if mean.ndim != 1 or size == 0 or cov.shape != (size, size):
        raise DataError(
            f"A mean of shape {mean.shape} and a covariance matrix of shape {cov.shape} do not "
            "belong together.",
            hint="p variables have p means and a p-by-p covariance matrix.",
        )
    if names and len(names) != size:
        raise DataError(
            f"{len(names)} names for {size} variables.", hint="Give one name a variable."
        )


def _check_n(n: int, ddof: int) -> None:
    if not _whole(n) or n < 1:
        raise DataError(f"The number of persons is {n!r}.", hint="Give a whole number above 0.")
    if not _whole(ddof):
        raise DataError(f"ddof is {ddof!r}.", hint="It is 0 (divisor n) or 1 (divisor n - 1).")
    if not 0 <= ddof < n:
        raise DataError(
            f"With n = {n} and ddof = {ddof} the covariance matrix has the divisor {n - ddof}.",
            hint="ddof is 0 (divisor n) or 1 (divisor n - 1).",
        )


def _whole(value: object) -> bool:
    return (
        isinstance(value, (int, float, np.integer, np.floating))
        and not isinstance(value, bool)
        and math.isfinite(value)
        and value == int(value)
    )


def _check_covariance(cov: FloatArray, names: tuple[str, ...]) -> None:
    variances = np.diag(cov)
    if (variances < 0).any():
        j = int(np.argmin(variances))
        raise DataError(
            f"The variance of {names[j]!r} is {variances[j]}.", hint="Variances are not negative."
        )
    scale = np.sqrt(np.where(variances > 0, variances, 1.0))
    standard = cov / np.outer(scale, scale)
    gap = np.abs(standard - standard.T)
    if gap.max() > 1e-8:
        i, j = divmod(int(gap.argmax()), len(names))
        raise DataError(
            f"The covariance matrix is not symmetric: {cov[i, j]} for {names[i]!r} and "
            f"{names[j]!r}, {cov[j, i]} the other way round.",
            hint="Check the numbers; a lower triangle is given as rows of growing length.",
        )
    lowest = float(np.linalg.eigvalsh(standard)[0])
    if lowest < -1e-10 * len(names):
        raise DataError(
            f"No data have this covariance matrix: as correlations its smallest eigenvalue is "
            f"{lowest:.3g}.",
            hint="Check for a misprint, or numbers rounded too far.",
        )


def _exact_sample(moments: Moments, seed: int) -> FloatArray:
    scale = np.sqrt(np.diag(moments.cov))
    inverse = np.divide(1.0, scale, out=np.zeros_like(scale), where=scale > 0)
    correlation = moments.cov * np.outer(inverse, inverse)
    values, vectors = np.linalg.eigh(correlation)
    real = values > 1e-12 * max(float(values[-1]), 1e-300)
    rank = int(real.sum())
    if moments.n <= rank:
        raise DataError(
            f"{moments.n} persons cannot have a covariance matrix of rank {rank}.",
            hint=f"Drawing data needs n of at least {rank + 1}.",
        )
    if rank == moments.mean.size:
        factor = np.linalg.cholesky(correlation)
    else:
        factor = vectors[:, real] * np.sqrt(values[real])
    normal = np.random.default_rng(seed).standard_normal((moments.n, rank))
    basis, triangle = np.linalg.qr(normal - normal.mean(axis=0))
    basis = basis * np.where(np.diag(triangle) < 0, -1.0, 1.0)
    scores = (basis * np.sqrt(moments.n - moments.ddof)) @ factor.T
    return cast("FloatArray", moments.mean + scores * scale)
