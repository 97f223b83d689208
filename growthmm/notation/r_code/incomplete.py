"""R's lines for covariates that are missing: the outcomes that they touch are left out."""

from __future__ import annotations

from collections.abc import Collection

from growthmm.model.expression_print import r_string
from growthmm.model.sem import SemModel

__all__ = ["incomplete_lines", "reached"]


def incomplete_lines(model: SemModel, columns: Collection[str] | None = None) -> list[str]:
    """What a missing covariate touches is left out, as a mixed model leaves its rows out.

    The programs would drop the whole person for it. Without its outcomes the covariate never
    enters the likelihood, so any number will do.

    Parameters
    ----------
    model : SemModel
        The model.
    columns : collection of str, optional
        The covariates and definition variables that this is about; all where None.
    """
    touched = {k: v for k, v in reached(model).items() if columns is None or k in columns}
    if not touched:
        return []
    lines = ["# an outcome without its covariate is left out, not the whole person"]
    filled = []
    for column, outcomes in touched.items():
        source = f"wide[[{r_string(column)}]]"
        if outcomes:
            shown = ", ".join(r_string(name) for name in outcomes)
            lines.append(f"wide[is.na({source}), c({shown})] <- NA")
        filled.append(f"{source}[is.na({source})] <- 0")
    return [*lines, *filled]


def reached(model: SemModel) -> dict[str, tuple[str, ...]]:
    """For each covariate and definition variable the outcomes that it acts on.

    Examples
    --------
    >>> from growthmm.notation.lavaan.read import read
    >>> reached(read("i =~ 1*y0 + 1*y1; i ~ x; y1 ~ z"))
    {'x': ('y0', 'y1'), 'z': ('y1',)}
    """
    effects: dict[str, set[str]] = {}
    starts: dict[str, set[str]] = {name: {name} for name in model.covariates}
    for path in model.paths:
        cause, effect = (path.left, path.right) if path.op == "=~" else (path.right, path.left)
        if path.definition is not None:
            touched = {path.left, path.right} if path.op == "~~" else {effect}
            starts.setdefault(path.definition, set()).update(touched)
        if path.op in ("=~", "~") and not path.is_zero:
            effects.setdefault(cause, set()).add(effect)
    made = {}
    for column, first in starts.items():
        found, waiting = set(first), list(first)
        while waiting:
            new = effects.get(waiting.pop(), set()) - found
            found |= new
            waiting.extend(new)
        made[column] = tuple(name for name in model.outcomes if name in found)
    return made
