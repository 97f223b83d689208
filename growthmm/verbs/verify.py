"""The verb ``verify``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast, overload

from growthmm.equivalence.joint import with_joint_likelihood
from growthmm.equivalence.not_representable import NotRepresentable
from growthmm.equivalence.result import Equivalence
from growthmm.equivalence.verify import verify_pair
from growthmm.errors import SpecificationError, UnsupportedError
from growthmm.model.mixed import Estimator, MixedModel
from growthmm.model.residual import ResidualStructure
from growthmm.model.sem import SemModel
from growthmm.progress import showing
from growthmm.translation.joint_covariates import given_covariates
from growthmm.verbs.beyond_linear import verify_beyond, verify_items
from growthmm.verbs.binding import Facts, Layout, given_layout, paired
from growthmm.verbs.given_data import given_data
from growthmm.verbs.holding import hold_paths
from growthmm.verbs.item_loadings import item_forms
from growthmm.verbs.prepared import Prepared, prepared
from growthmm.verbs.rounding import Bins, with_rounding_error
from growthmm.verbs.source import Function, ModelLike, source

if TYPE_CHECKING:
    import pandas as pd

    from growthmm.equivalence.printed.result import AgainstPrinted

__all__ = ["verify"]


@overload
def verify(
    model: ModelLike,
    data: object | None = None,
    *,
    against: str | Path,
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
    fixed: Mapping[str, float] | None = None,
    time_limit: float = 60.0,
    progress: bool | None = None,
) -> AgainstPrinted: ...


@overload
def verify(
    model: ModelLike,
    data: object | None = None,
    *,
    against: None = None,
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
    fixed: Mapping[str, float] | None = None,
    time_limit: float = 60.0,
    progress: bool | None = None,
    bin: Bins | None = None,
    mundlak: Sequence[str] | None = None,
) -> Equivalence | NotRepresentable: ...


def verify(
    model: ModelLike,
    data: object | None = None,
    *,
    id: str | None = None,
    time: str | None = None,
    engines: Sequence[str] | None = None,
    estimator: str | None = None,
    residual: str | ResidualStructure | None = None,
    bounds: str | None = None,
    fixed: Mapping[str, float] | None = None,
    outcome: str | None = None,
    time_values: Sequence[float] | None = None,
    layout: Layout | None = None,
    notation: str | None = None,
    function: Function | None = None,
    time_limit: float = 60.0,
    progress: bool | None = None,
    bin: Bins | None = None,
    mundlak: Sequence[str] | None = None,
    against: str | Path | None = None,
) -> Equivalence | NotRepresentable | AgainstPrinted:
    """Translate a growth model, fit both forms, and judge by evidence whether they are the same.

    Parameters
    ----------
    model : str, Path, MixedModel or SemModel
        The model, in either family.
    data : data frame, path or Moments, optional
        Its data, long or wide; what the text of a model's file names where None.
    id, time, outcome : str, optional
        Columns of the long form, where the model does not say.
    engines : sequence of str, optional
        The witnesses wanted beside our two engines; statsmodels and semopy where None. Live R
        (``lme4``, ``nlme``, ``glmmtmb``, ``lavaan``, ``openmx``) is asked for by name.
    estimator : {"ml", "reml"}, optional
        What to maximise; ``ml`` where None, unless a call states it (``lmer(..., REML = TRUE)``).
    residual : str, optional
        Residual structure of a mixed model whose notation can't say it.
    bounds : {"psd", "none"}, optional
        One parameter space for both forms; each family's habit where None.
    fixed : mapping of str to float, optional
        Parameters of a structural equation model held at values, by name. What its text leaves
        free is fixed before it is translated, so that a value that no mixed model says is refused.
    time_values, layout, notation, function
        See ``translate``.
    time_limit : float
        Seconds that a witness may take.
    bin, mundlak : optional
        See ``translate``. With ``bin`` the verdict is ``approximate``, and the reason says what
        rounding the times does to log-likelihood and estimates on these data.
    against : str or Path, optional
        Results that another program printed, a file's path or text (of several lines). The model
        is then fitted by that program's estimator and defaults, every printed number is compared
        to its printed precision, and differences are explained by refits. The program is
        recognised from the text; `engines` and `time_limit` have no part in it.
    progress : bool, optional
        Whether a bar shows how far it is, once it has taken a second; where None, in a terminal.

    Returns
    -------
    Equivalence, NotRepresentable or AgainstPrinted
        ``.verdict``, ``.model_verdict``, ``.levels``, ``.parameters``, ``.engines``. Where the
        moments of a structural equation model depend on products of parameters, so that no linear
        mixed model says it and none with curves does, a NotRepresentable with the same parts of
        that model alone, ``.losses`` and ``.nearest``. With
        `against`, an AgainstPrinted: ``.verdict`` (``agrees``, ``explained`` or ``differs``),
        ``.rows``, ``.causes``, ``.summary()``.

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
    _check_options(bounds, engines, against, bin=bin, mundlak=mundlak)
    read = source(
        model,
        notation=notation,
        function=function,
        residual=residual,
        estimator=estimator,
        otherwise="ml",
    )
    own = given_data(read, data)
    facts = Facts(id, time, outcome, time_values, layout)
    growth = _held(read.model, fixed) if fixed else read.model
    if against is not None:
        unsaid = any(default.what == "estimator" for default in read.model.defaults)
        stated = estimator is not None or (isinstance(model, (str, Path)) and not unsaid)
        return _against_printed(
            growth,
            own.data,
            facts,
            against,
            label=read.label,
            estimator=read.model.estimator if stated else None,
            bounds=bounds,
            progress=progress,
        )
    how: dict[str, Any] = {
        "estimator": read.model.estimator,
        "bounds": bounds,
        "engines": engines,
        "time_limit": time_limit,
    }
    forms = None
    if isinstance(growth, MixedModel) and bin is None and mundlak is None:
        forms = item_forms(growth, own.data, facts)
    if forms is not None:
        with showing(progress):
            items = verify_items(forms, **how)
        return replace(items, assumptions=items.assumptions + own.notes)
    try:
        ready = prepared(growth, own.data, facts, bin, mundlak)
        pair, frame = paired(ready.model, ready.data, ready.facts, spelling="lme4")
    except UnsupportedError as error:
        if not isinstance(growth, SemModel) or bin is not None or mundlak is not None:
            raise
        refusal = error
    else:
        assert frame is not None
        pair = replace(pair, assumptions=pair.assumptions + own.notes + ready.notes)
        with showing(progress):
            found = verify_pair(pair, frame, **how)
        seen = layout or given_layout(growth, own.data, facts)
        found = replace(found, file=ready.file(own.path, seen))
        return _completed(found, read.model.estimator, growth, ready, frame)
    with showing(progress):
        beyond = verify_beyond(growth, own.data, facts, refusal, **how)
    return replace(beyond, assumptions=beyond.assumptions + own.notes)


def _check_options(
    bounds: str | None,
    engines: Sequence[str] | None,
    against: str | Path | None,
    **changes: object,
) -> None:
    if bounds not in (None, "psd", "none"):
        raise SpecificationError(
            f"There are no bounds {bounds!r}.", hint="Use 'psd' or 'none', or leave it out."
        )
    if against is None:
        return
    if engines is not None:
        raise SpecificationError(
            "Both engines and printed results are given.",
            hint="Printed results are compared with growthmm's own engines; leave engines out.",
        )
    if any(value is not None for value in changes.values()):
        raise SpecificationError(
            "Printed results are compared with the model and data as they are.",
            hint="Leave bin and mundlak out.",
        )


def _held(model: MixedModel | SemModel, fixed: Mapping[str, float]) -> SemModel:
    """The structural equation model with paths fixed at values."""
    if isinstance(model, SemModel):
        return hold_paths(model, fixed)
    raise SpecificationError(
        f"verify holds {', '.join(map(repr, fixed))}, and a mixed model's text says no "
        "fixed values.",
        hint="Fix them in the structural equation model that translate gives, or fit with fixed=.",
    )


def _against_printed(
    model: MixedModel | SemModel,
    data: object,
    facts: Facts,
    against: str | Path,
    *,
    label: str,
    estimator: Estimator | None,
    bounds: str | None,
    progress: bool | None,
) -> AgainstPrinted:
    """The model's fit held against what another program printed."""
    from growthmm.verbs.against import verify_printed

    with showing(progress):
        return verify_printed(
            model,
            data,
            facts,
            against,
            label=label,
            estimator=estimator,
            bounds=cast("Literal['psd', 'none'] | None", bounds),
        )


def _completed(
    found: Equivalence,
    estimator: Estimator,
    model: MixedModel | SemModel,
    ready: Prepared,
    frame: pd.DataFrame,
) -> Equivalence:
    """The verdict with what rounding or a joint likelihood of covariates does to it."""
    if ready.rounding is not None:
        return with_rounding_error(found, ready.rounding, estimator)
    apart = given_covariates(model) if isinstance(model, SemModel) else None
    return found if apart is None else with_joint_likelihood(found, apart[1], frame)
