"""The levels of a model of persons in clusters, one at a time."""

from __future__ import annotations

from dataclasses import replace

from growthmm.errors import UnboundError
from growthmm.model.sem import SemModel
from growthmm.notation.base import ScriptContext

__all__ = ["cluster_column", "of_level"]


def of_level(model: SemModel, level: int) -> SemModel:
    """The rows of one level, as a model of their own.

    Parameters
    ----------
    model : SemModel
        A model of two levels.
    level : {1, 2}
        Persons, or clusters.

    Examples
    --------
    >>> from growthmm.model.sem import Path
    >>> rows = (Path("y", "~~", "y"), Path("y", "~~", "y", level=2), Path("y", "~", "x", level=2))
    >>> of_level(SemModel(rows, (), ("y",), ("x",)), 1).covariates
    ()
    """
    paths = tuple(replace(path, level=1) for path in model.paths if path.level == level)
    named = {name for path in paths for name in (path.left, path.right)}
    return replace(
        model,
        paths=paths,
        latent=tuple(name for name in model.latent if name in named),
        outcomes=tuple(name for name in model.outcomes if name in named),
        covariates=tuple(name for name in model.covariates if name in named),
        constraints=(),
        defined=(),
        cluster_variable=None,
    )


def cluster_column(model: SemModel, context: ScriptContext) -> str | None:
    """The column of clusters, which the script of a model of two levels has to name.

    Raises
    ------
    UnboundError
        If neither the model nor the schema names it.

    Examples
    --------
    >>> cluster_column(SemModel((), (), ()), ScriptContext()) is None
    True
    """
    if model.n_levels == 1:
        return None
    cluster = model.cluster_variable or (context.schema and context.schema.cluster)
    if not cluster:
        raise UnboundError(
            "A script for a model of two levels needs the column of clusters.",
            missing=("cluster",),
            hint='Name it in the model: growth(model, cluster = "school"), or CLUSTER = school.',
        )
    return cluster
