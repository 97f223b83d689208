"""The verb ``verify``."""

from __future__ import annotations

from collections.abc import Sequence

from growthmm.equivalence.result import Equivalence
from growthmm.equivalence.verify import verify_pair
from growthmm.errors import SpecificationError
from growthmm.model.residual import ResidualStructure
from growthmm.verbs.binding import Facts, Layout, paired
from growthmm.verbs.source import Function, ModelLike, source

__all__ = ["verify"]


def verify(
    model: ModelLike,
    data: object,
    *,
    id: str | None = None,
    time: str | None = None,
    engines: Sequence[str] | None = None,
    estimator: str | None = None,
    residual: str | ResidualStructure | None = None,
    bounds: str | None = None,
    outcome: str | None = None,
    time_values: Sequence[float] | None = None,
    layout: Layout | None = None,
    notation: str | None = None,
    function: Function | None = None,
    time_limit: float = 60.0,
) -> Equivalence:
    """Translate a growth model, fit both forms, and judge by evidence whether they are the same.

    Parameters
    ----------
    model : str, Path, MixedModel or SemModel
        The model, in either family.
    data : data frame, path or Moments
        Its data, long or wide.
    id, time, outcome : str, optional
        Columns of the long form, where the model does not say.
    engines : sequence of str, optional
        The witnesses wanted beside our two engines; statsmodels and semopy where None. Live R
        (``lme4``, ``nlme``, ``lavaan``) is asked for by name.
    estimator : {"ml", "reml"}, optional
        What to maximise; ``ml`` where None, unless a call states it (``lmer(..., REML = TRUE)``).
    residual : str, optional
        Residual structure of a mixed model whose notation can't say it.
    bounds : {"psd", "none"}, optional
        One parameter space for both forms; each family's habit where None.
    time_values, layout, notation, function
        See ``translate``.
    time_limit : float
        Seconds that a witness may take.

    Returns
    -------
    Equivalence
        ``.verdict``, ``.model_verdict``, ``.levels``, ``.parameters``, ``.engines``.

    Raises
    ------
    GrowthmmError
        If the model can't be read or translated, or the data do not fit it.

    Examples
    --------
    >>> import growthmm as gm
    >>> found = gm.verify("gpa ~ occasion + (1 + occasion | student)", gm.datasets.gpa())
    >>> found.verdict, found.model_verdict
    ('identical', 'identical_if')
    """
    if bounds not in (None, "psd", "none"):
        raise SpecificationError(
            f"There are no bounds {bounds!r}.", hint="Use 'psd' or 'none', or leave it out."
        )
    read = source(
        model,
        notation=notation,
        function=function,
        residual=residual,
        estimator=estimator,
        otherwise="ml",
    )
    pair, frame = paired(
        read.model, data, Facts(id, time, outcome, time_values, layout), spelling="lme4"
    )
    assert frame is not None
    return verify_pair(
        pair,
        frame,
        estimator=read.model.estimator,
        bounds=bounds,
        engines=engines,
        time_limit=time_limit,
    )
