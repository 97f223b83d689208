"""The residuals of a path table: its rows among outcomes, and the structure that they are."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from growthmm.model.defaults import Loss
from growthmm.model.residual import COMMON, ResidualStructure
from growthmm.model.sem import Constraint, Path, SemModel
from growthmm.translation.residuals.recognition import recognised_residual
from growthmm.translation.ties import constraints_among

__all__ = ["ReadResiduals", "read_residuals"]

Cell = tuple[int, int]


@dataclass(frozen=True, slots=True)
class ReadResiduals:
    """What a table's rows among outcomes say.

    Parameters
    ----------
    structure : ResidualStructure
        The structure; common where there are losses.
    names : tuple of (str, str)
        Growth parameter keys and the parameters that are the same number.
    expressions : tuple of (str, str)
        For the other keys, arithmetic over parameters.
    constraints : tuple of Constraint
        The constraints that the structure accounts for.
    losses : tuple of Loss
        What is no structure.
    """

    structure: ResidualStructure = COMMON
    names: tuple[tuple[str, str], ...] = ()
    expressions: tuple[tuple[str, str], ...] = ()
    constraints: tuple[Constraint, ...] = ()
    losses: tuple[Loss, ...] = ()


def read_residuals(
    model: SemModel,
    outcomes: tuple[str, ...],
    latent: Collection[str],
    occasions: tuple[float, ...],
) -> ReadResiduals:
    """Read the residual structure of the growth outcomes.

    Parameters
    ----------
    model : SemModel
        The table.
    outcomes : tuple of str
        The growth outcomes, in order of time.
    latent : collection of str
        The growth factors.
    occasions : tuple of float
        The times.
    """
    place = {y: j for j, y in enumerate(outcomes)}
    cells: dict[Cell, str | float] = {}
    rows: dict[Cell, Path] = {}
    losses: list[Loss] = []
    for path in model.paths:
        if path.op != "~~" or path.left in latent or path.right in latent:
            continue
        if not path.free and not path.value:
            continue
        if path.left not in place or path.right not in place:
            losses.append(_with_others(path))
            continue
        j, k = sorted((place[path.left], place[path.right]))
        cells[j, k] = path.parameter if path.free else float(path.value or 0.0)
        rows[j, k] = path
    absent = [y for y, j in place.items() if not isinstance(cells.get((j, j)), str)]
    if absent:
        losses.append(
            Loss(
                f"residual variances of {', '.join(absent)} not estimated",
                "a mixed model estimates its residual variances",
                "free residual variances",
            )
        )
    held = constraints_among(model, {p.parameter for p in rows.values() if p.free})
    if losses:
        return ReadResiduals(constraints=held, losses=tuple(losses))
    found = recognised_residual(model, cells, occasions)
    if found is None:
        return ReadResiduals(constraints=held, losses=(_no_structure(rows, held),))
    return ReadResiduals(found.structure, found.names, found.expressions, held)


def _with_others(path: Path) -> Loss:
    return Loss(
        path.name,
        "it is a covariance with a variable that is no outcome of the growth factors",
        "uncorrelated residuals",
    )


def _no_structure(rows: dict[Cell, Path], held: tuple[Constraint, ...]) -> Loss:
    covariances = [path.name for (j, k), path in rows.items() if j < k]
    if not covariances and not held:
        return Loss(
            "residual variances of which some are equal",
            "mixed models have one residual variance, or one for each occasion",
            "one label for all, or none",
        )
    shown = ", ".join(covariances[:4]) + (", ..." if len(covariances) > 4 else "")
    about = "; ".join(f"{c.left} {c.op} {c.right}" for c in held[:4])
    what = shown if covariances else "residual variances"
    return Loss(
        what + (f" with {about}" if about else ""),
        "together they are none of the structures common, by_occasion, ar1, ar1+common, arh1, cs, "
        "csh, toeplitz, banded and unstructured",
        "residual=unstructured where there are no random effects, or uncorrelated residuals",
    )
