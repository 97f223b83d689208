"""A model of one group, written out for the groups that the data turn out to have."""

from __future__ import annotations

from dataclasses import replace

from growthmm.errors import SpecificationError
from growthmm.model.sem import SemModel

__all__ = ["with_groups"]


def with_groups(model: SemModel, labels: tuple[str, ...]) -> SemModel:
    """Write a model out for each of `labels`.

    A call such as ``growth(model, group = "sex")`` does not say how many groups there are; the
    data do. lavaan then gives each group the same rows: a row with a label is one parameter in
    all groups, any other a parameter of its own.

    Parameters
    ----------
    model : SemModel
        A model of one group, or of as many as there are labels.
    labels : tuple of str
        The groups, in the order in which the data have them.

    Returns
    -------
    SemModel
        The model of ``len(labels)`` groups.

    Raises
    ------
    SpecificationError
        If the model has another number of groups.

    Examples
    --------
    >>> from growthmm.notation.lavaan.read import read
    >>> model = read("growth('f =~ 1*y0 + a*y1 + y2', group = 'sex')")
    >>> [p.parameter for p in with_groups(model, ("f", "m")).paths if p.op == "=~" and p.free]
    ['a', 'f=~y2', 'a', 'f=~y2.g2']
    """
    if model.n_groups == len(labels):
        return replace(model, group_labels=labels)
    if model.n_groups != 1:
        raise SpecificationError(
            f"The model is written for {model.n_groups} groups, the data have {len(labels)}: "
            f"{', '.join(labels)}.",
            hint="Give one value for each group in every c(...).",
        )
    paths = tuple(
        replace(path, group=group) for group in range(len(labels)) for path in model.paths
    )
    return replace(model, paths=paths, n_groups=len(labels), group_labels=labels)
