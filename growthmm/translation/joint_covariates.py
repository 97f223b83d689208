"""A model of outcomes and covariates together, taken apart: outcomes given covariates."""

from __future__ import annotations

from dataclasses import dataclass, replace

from growthmm.model.defaults import Assumption
from growthmm.model.sem import SemModel

__all__ = ["JointCovariates", "given_covariates"]


@dataclass(frozen=True)
class JointCovariates:
    """What a joint model says beside its conditional one.

    Parameters
    ----------
    joint : SemModel
        The model as it was: covariates among its outcomes.
    covariates : tuple of str
        The covariates.
    zero_means : tuple of str
        Those whose means are held at zero (lavaan's ``growth(fixed.x = FALSE)`` as it is).
    absent : tuple of str
        Their (co)variances that are not free.
    """

    joint: SemModel
    covariates: tuple[str, ...]
    zero_means: tuple[str, ...]
    absent: tuple[str, ...]

    @property
    def saturated(self) -> bool:
        """Whether the covariates have free means, variances and covariances."""
        return not self.zero_means and not self.absent

    @property
    def note(self) -> Assumption:
        """What the translation leaves out."""
        return Assumption(
            f"the likelihood is that of the outcomes given {', '.join(self.covariates)}",
            "fixed.x = FALSE adds the likelihood of the covariates, which a mixed model "
            "conditions on",
        )


def given_covariates(model: SemModel) -> tuple[SemModel, JointCovariates] | None:
    """The model conditional on its covariates, where it models them together with the outcomes.

    Covariates act on others, nothing acts on them, and they covary among themselves alone; their
    parameters are then apart from all others, so that the joint likelihood is the conditional one
    times that of the covariates.

    Parameters
    ----------
    model : SemModel
        With ``fixed_x`` False.

    Returns
    -------
    tuple of (SemModel, JointCovariates), or None
        None where no covariate is modelled.
    """
    if model.fixed_x or model.constraints:
        return None
    explained = {p.left for p in model.paths if p.op == "~"}
    explained |= {p.right for p in model.paths if p.op == "=~"}
    acting = dict.fromkeys(p.right for p in model.paths if p.op == "~")
    own = [x for x in model.outcomes if x in acting and x not in explained]
    for path in model.paths:
        if path.op == "~~" and not path.is_zero and (path.left in own) != (path.right in own):
            own = [x for x in own if x not in (path.left, path.right)]
    if not own:
        return None
    labels = [p.label for p in model.paths if p.label and {p.left, p.right} & set(own)]
    others = {p.label for p in model.paths if p.label and p.op in ("=~", "~")}
    if any(label in others for label in labels if labels.count(label) and _of(model, label, own)):
        return None
    rows = tuple(p for p in model.paths if p.op not in ("~1", "~~") or p.left not in own)
    conditional = replace(
        model,
        paths=rows,
        outcomes=tuple(y for y in model.outcomes if y not in own),
        covariates=(*model.covariates, *own),
        fixed_x=True,
    )
    free = {frozenset((p.left, p.right)) for p in model.paths if p.op == "~~" and p.free}
    means = {p.left for p in model.paths if p.op == "~1" and p.free}
    absent = [
        f"{a} ~~ {b}" for at, a in enumerate(own) for b in own[at:] if frozenset((a, b)) not in free
    ]
    zero = tuple(x for x in own if x not in means)
    return conditional, JointCovariates(model, tuple(own), zero, tuple(absent))


def _of(model: SemModel, label: str, own: list[str]) -> bool:
    """Whether a label stands on a moment of the covariates."""
    return any(p.label == label and p.op in ("~1", "~~") and p.left in own for p in model.paths)
