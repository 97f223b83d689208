"""Individual times rounded to shared occasions, with how far that moved them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from growthmm.data.frames import codes, numeric_column
from growthmm.data.wording import listed
from growthmm.errors import DataError, SpecificationError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Binned", "bin_times"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Binned:
    """Data with rounded times.

    Parameters
    ----------
    frame : DataFrame
        The data, times rounded.
    bins : (n_bins,) tuple of float
        The times that there are now, ascending.
    furthest, root_mean_square : float
        How far times moved, in their unit.
    n_moved, n_rows : int
        Rows whose time is another, and all rows with one.
    """

    frame: pd.DataFrame
    bins: tuple[float, ...]
    furthest: float
    root_mean_square: float
    n_moved: int
    n_rows: int

    def describe(self, time: str) -> str:
        """What was done, in words."""
        return (
            f"{time} is rounded to {len(self.bins)} shared occasions: {self.n_moved} of "
            f"{self.n_rows} rows moved, by {self.root_mean_square:.3g} in the root mean square and "
            f"{self.furthest:.3g} at most; nobody has two visits at one occasion"
        )


def bin_times(
    frame: pd.DataFrame,
    *,
    id: str,
    time: str,
    outcome: Sequence[str],
    bins: float | Sequence[float],
) -> Binned:
    """Round individual times to shared ones.

    Parameters
    ----------
    frame : DataFrame
        Long data.
    id, time : str
        Columns of person and time.
    outcome : sequence of str
        Columns that the outcome is computed from; rows without it are left alone.
    bins : float or sequence of float
        The distance of occasions (their multiples then), or the occasions, to the nearest of
        which times go.

    Returns
    -------
    Binned
        The data and what became of the times.

    Raises
    ------
    SpecificationError
        If the bins are not positive, finite, distinct numbers.
    DataError
        If a person has two visits in one bin.

    Examples
    --------
    >>> import pandas
    >>> frame = pandas.DataFrame({"id": [1, 1, 2], "t": [0.1, 1.0, 0.9], "y": [2.0, 3.0, 4.0]})
    >>> found = bin_times(frame, id="id", time="t", outcome=["y"], bins=1.0)
    >>> found.frame.t.tolist(), found.bins, round(found.furthest, 3)
    ([0.0, 1.0, 1.0], (0.0, 1.0), 0.1)
    """
    times = numeric_column(frame, time)
    seen = np.isfinite(times)
    for name in outcome:
        seen &= np.isfinite(numeric_column(frame, name))
    rounded = np.where(np.isfinite(times), _rounded(times, bins), times)
    person, labels = codes(frame, id)
    used = seen & (person >= 0)
    _refuse_two(person[used], rounded[used], times[used], [labels[p] for p in person[used]], time)
    moved = np.abs(rounded - times)[used]
    return Binned(
        frame.assign(**{time: rounded}),
        tuple(float(v) for v in np.unique(rounded[used])),
        float(moved.max(initial=0.0)),
        float(np.sqrt(np.mean(moved**2))) if len(moved) else 0.0,
        int(np.count_nonzero(moved > 0)),
        len(moved),
    )


def _rounded(times: FloatArray, bins: float | Sequence[float]) -> FloatArray:
    if isinstance(bins, (int, float)):
        if not np.isfinite(bins) or bins <= 0:
            raise SpecificationError(
                f"Times cannot be rounded to multiples of {bins}.", hint="Give a positive width."
            )
        # Decimal widths give decimal occasions: 3 * 0.1 is 0.3.
        return np.asarray(np.round(np.floor(times / bins + 0.5) * bins, 12)) + 0.0
    given = np.asarray(sorted(float(v) for v in bins))
    if not len(given) or not np.all(np.isfinite(given)) or np.any(np.diff(given) == 0):
        raise SpecificationError(
            f"Times cannot be rounded to {', '.join(f'{v:g}' for v in given) or 'nothing'}.",
            hint="Give distinct finite occasions, 0,1,2,3 say.",
        )
    middle = (given[1:] + given[:-1]) / 2
    return np.asarray(given[np.searchsorted(middle, times, side="right").clip(0, len(middle))])


def _refuse_two(
    person: NDArray[np.intp],
    rounded: FloatArray,
    times: FloatArray,
    labels: Sequence[object],
    time: str,
) -> None:
    """Refuse bins in which a person has two visits; the smallest distance of two says how wide."""
    order = np.lexsort((times, person))
    same = person[order][1:] == person[order][:-1]
    twice = same & (rounded[order][1:] == rounded[order][:-1])
    if not twice.any():
        return
    gaps = np.diff(times[order])[same]
    who = list(dict.fromkeys(labels[k] for k in order[1:][twice]))
    n = len(set(person.tolist()))
    raise DataError(
        f"{len(who)} of {n} persons ({100 * len(who) / n:.0f}%) have two visits in one bin of "
        f"{time}: {listed(who[:5], total=len(who))}.",
        hint="A wide form has one outcome for each. Bins no wider than the smallest distance of "
        f"two visits, {gaps.min():.3g}, keep all apart; OpenMx takes the times as they are.",
    )
