"""``verify`` of a structural equation model that no linear mixed model says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from growthmm.data.frames import as_pandas
from growthmm.data.moments import Moments
from growthmm.engines.prepare import wide_data
from growthmm.equivalence.not_representable import Nearest, NotRepresentable
from growthmm.equivalence.verify import verify_pair
from growthmm.equivalence.verify_sem import verify_sem
from growthmm.errors import GrowthmmError, UnsupportedError
from growthmm.model.defaults import Loss, NonlinearLoss
from growthmm.model.mixed import MixedModel
from growthmm.model.sem import SemModel
from growthmm.notation import notation
from growthmm.translation.item_loadings import by_item
from growthmm.translation.nearest import items_alike, near_models
from growthmm.translation.second_order import lacking
from growthmm.verbs.binding import Facts, paired, sem_arrays
from growthmm.verbs.item_loadings import ItemForms, item_forms

__all__ = ["verify_beyond", "verify_items"]


def verify_beyond(
    model: SemModel,
    data: object,
    facts: Facts,
    refusal: UnsupportedError,
    *,
    estimator: str = "ml",
    bounds: str | None = None,
    engines: Sequence[str] | None = None,
    time_limit: float = 60.0,
) -> NotRepresentable:
    """The verdict ``not_representable`` on a model whose translation was refused.

    Parameters
    ----------
    model : SemModel
        The model.
    data : data frame, path or Moments
        Its data.
    facts : Facts
        What was said about them.
    refusal : UnsupportedError
        Why it was refused.
    estimator, bounds, engines, time_limit
        As in ``verify``.

    Returns
    -------
    NotRepresentable
        With our fit, the evidence, and the nearest model that has a mixed form.

    Raises
    ------
    UnsupportedError
        The refusal, where what was lost is not the linear mixed model's fault, where the
        moments are linear all the same, or the model has two levels.
    """
    losses = tuple(loss for loss in refusal.losses if isinstance(loss, Loss))
    if model.n_levels > 1 or not any(isinstance(loss, NonlinearLoss) for loss in losses):
        raise refusal
    frame = data.draw() if isinstance(data, Moments) else as_pandas(data)
    arrays, notes = sem_arrays(model, frame, facts)
    found = verify_sem(
        arrays,
        losses,
        nearest=_nearest(model, frame, facts, estimator, bounds),
        text=_text(model, frame, facts),
        assumptions=notes,
        estimator=estimator,
        bounds=bounds,
        engines=engines,
        time_limit=time_limit,
    )
    if found is None:
        raise refusal
    return found


def verify_items(
    forms: ItemForms,
    *,
    estimator: str = "ml",
    bounds: str | None = None,
    engines: Sequence[str] | None = None,
    time_limit: float = 60.0,
) -> NotRepresentable:
    """The verdict on a call of ``nlme()`` with estimated item loadings.

    Parameters
    ----------
    forms : ItemForms
        The call and its latent growth curve, with data.
    estimator, bounds, engines, time_limit
        As in ``verify``.

    Returns
    -------
    NotRepresentable
        As for the latent growth curve.

    Raises
    ------
    UnsupportedError
        If restricted likelihood is asked for.
    """
    assert forms.frame is not None
    if estimator != "ml":
        raise UnsupportedError(
            "Restricted likelihood integrates over linear fixed effects, and the items' loadings "
            "multiply them.",
            hint='Use estimator="ml".',
        )
    near = items_alike(forms.sem)
    assert near is not None
    arrays = wide_data(forms.near.sem, forms.frame)
    how: dict[str, Any] = {"estimator": estimator, "bounds": bounds}
    nearest = Nearest(near, verify_pair(forms.near, forms.frame, engines=["long"], **how))
    found = verify_sem(
        replace(arrays, problem=replace(arrays.problem, model=forms.sem)),
        lacking(forms.sem),
        nearest=nearest,
        text=notation("nlme").write(forms.mixed).text,
        assumptions=forms.assumptions,
        engines=engines,
        time_limit=time_limit,
        **how,
    )
    assert found is not None
    return found


def _text(model: SemModel, frame: object, facts: Facts) -> str:
    """The model as a call of nlme, where read again it is the model meant."""
    try:
        forms = item_forms(model, frame, facts)
    except GrowthmmError:
        return ""
    if forms is None:
        return ""
    written = notation("nlme").write(forms.mixed).text
    read = notation("nlme").read(written)
    assert isinstance(read, MixedModel)
    return written if by_item(read, str(forms.near.growth.schema.indicator)) == forms.mixed else ""


def _nearest(
    model: SemModel, frame: object, facts: Facts, estimator: str, bounds: str | None
) -> Nearest | None:
    """The first of the near models that has a mixed form and can be fitted."""
    for near in near_models(model):
        try:
            pair, long = paired(near.model, frame, facts, spelling="lme4")
            assert long is not None
            own = "ml" if pair.growth.loading_keys else estimator
            found = verify_pair(pair, long, estimator=own, bounds=bounds, engines=["long"])
        except GrowthmmError:
            # Another one may be identified and translated.
            continue
        return Nearest(near, found)
    return None
