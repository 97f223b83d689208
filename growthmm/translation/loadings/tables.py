"""The loadings of a structural equation model: which outcomes grow, and how."""

from __future__ import annotations

from growthmm.model.sem import Path, SemModel

__all__ = ["growth_outcomes", "loading_table"]


def growth_outcomes(model: SemModel) -> tuple[str, ...]:
    """The observed variables that load on latent ones, in the model's order.

    Of a model without latent variables those that covary, with no regression among them: their
    covariances are residual ones.
    """
    loaded = {path.right for path in model.paths if path.op == "=~"}
    if not model.latent and not _regressed(model):
        for path in model.paths:
            if path.op == "~~" and path.left != path.right and not path.is_zero:
                loaded |= {path.left, path.right}
    return tuple(y for y in model.outcomes if y in loaded)


def _regressed(model: SemModel) -> bool:
    outcomes = set(model.outcomes)
    return any(p.op == "~" and {p.left, p.right} <= outcomes for p in model.paths)


def loading_table(model: SemModel) -> dict[str, dict[str, Path]]:
    """For each latent variable its loading rows by indicator."""
    table: dict[str, dict[str, Path]] = {name: {} for name in model.latent}
    for path in model.paths:
        if path.op == "=~":
            table[path.left][path.right] = path
    return table
