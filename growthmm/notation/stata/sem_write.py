"""A structural equation model as Stata's ``sem``."""

from __future__ import annotations

from growthmm.model.defaults import Loss
from growthmm.model.sem import Path, SemModel
from growthmm.notation.base import Written
from growthmm.notation.command_languages.names import Names
from growthmm.notation.command_languages.sem_loss import misread, sayable, sem_names
from growthmm.notation.losses.levels import levels_loss
from growthmm.notation.sem.text import number_text
from growthmm.notation.stata.commands import find_command
from growthmm.notation.stata.names import STATA_NAMES
from growthmm.notation.stata.sem import read_sem

__all__ = ["sem_lines", "write_sem"]


def write_sem(model: SemModel) -> Written:
    """Write a structural equation model as ``sem``.

    Whether an effect of one latent variable on another measures it is not said.

    Parameters
    ----------
    model : SemModel
        Any model.

    Returns
    -------
    Written
        Text that reads back, and what Stata cannot say.
    """
    beyond = levels_loss(model, "Stata's sem")
    if beyond:
        return Written("", beyond)
    said, losses = sayable(model, "Stata")
    for constraint in said.constraints:
        shown = f"{constraint.left} {constraint.op} {constraint.right}"
        why = "sem's paths have equal names alone; constraints are numbered commands before it"
        losses.append(Loss(shown, why, "lavaan or OpenMx"))
    bounded = [p for p in said.paths if p.lower is not None or p.upper is not None]
    losses += [
        Loss(f"bounds of {path.name}", "sem bounds no parameter", "lavaan, OpenMx or SAS")
        for path in bounded
        if path.label
    ]
    if said.likelihood == "wishart":
        losses.append(Loss("divisor N - 1", "sem divides by N", "likelihood normal"))
    text, more = sem_lines(said)
    losses += more
    if not losses:
        losses = misread(said, lambda: read_sem(find_command(text)), "Stata")
    return Written(text, tuple(losses))


def sem_lines(model: SemModel) -> tuple[str, list[Loss]]:
    """The text and its losses."""
    names, labels = sem_names(model, STATA_NAMES)
    explained = {p.right if p.op == "=~" else p.left for p in model.paths if p.op in ("=~", "~")}
    lines = [f"* {note}" for note in (*names.notes(), *labels.notes())]
    paths = _paths(model, names, labels, explained)
    variances, covariances, means = _moments(model, names, labels, explained)
    options = []
    if means:
        options.append(f"mean({' '.join(means)})")
    if variances:
        options.append(f"var({' '.join(variances)})")
    if covariances:
        options.append(f"cov({' '.join(covariances)})")
    observed = {*model.outcomes, *model.covariates}
    by_capital = all(names(name)[:1].isupper() for name in model.latent)
    if not by_capital or any(names(name)[:1].isupper() for name in observed):
        options.append("nocapslatent")
        if model.latent:
            options.append(f"latent({' '.join(names(name) for name in model.latent)})")
    options.append(f"method({'mlmv' if model.missing == 'ml' else 'ml'})")
    if model.information is not None:
        options.append(f"vce({'oim' if model.information == 'observed' else 'eim'})")
    options.append("noanchor")
    body = " ///\n    ".join([*paths[:-1], f"{paths[-1]}, {' '.join(options)}"])
    return "\n".join([*lines, f"sem {body}"]), [*names.losses, *labels.losses]


def _value(path: Path, labels: Names) -> str:
    """What stands behind a variable: ``@0``, ``@label``, or nothing."""
    if not path.free:
        return f"@{number_text(path.value or 0.0)}"
    return f"@{labels(path.label)}" if path.label else ""


def _paths(model: SemModel, names: Names, labels: Names, explained: set[str]) -> list[str]:
    causes: dict[str, list[str]] = {name: [] for name in (*model.outcomes, *model.latent)}
    for path in model.paths:
        if path.op in ("=~", "~"):
            cause, effect = path.left, path.right
            if path.op == "~":
                cause, effect = effect, cause
            causes[effect].append(f"{names(cause)}{_value(path, labels)}")
    intercepts = {path.left: path for path in model.paths if path.op == "~1"}
    found = []
    for name in (*model.outcomes, *model.latent):
        if name not in explained:
            continue
        constant = intercepts.get(name)
        if constant is None:
            causes[name].append("_cons@0")
        elif constant.free or constant.value or name in model.outcomes:
            causes[name].append(f"_cons{_value(constant, labels)}")
        found.append(f"({names(name)} <- {' '.join(causes[name])})")
    if not found:
        found = [
            f"({names(name)} <- _cons{_mean(intercepts, name, labels)})"
            for name in model.outcomes[:1]
        ]
    return found or ["()"]


def _mean(intercepts: dict[str, Path], name: str, labels: Names) -> str:
    return _value(intercepts[name], labels) if name in intercepts else "@0"


def _moments(
    model: SemModel, names: Names, labels: Names, explained: set[str]
) -> tuple[list[str], list[str], list[str]]:
    """What stands in var(), cov() and mean()."""

    def end(name: str) -> str:
        return f"e.{names(name)}" if name in explained else names(name)

    variances, covariances, means = [], [], []
    written = {frozenset((p.left, p.right)) for p in model.paths if p.op == "~~"}
    for path in model.paths:
        value = _value(path, labels)
        if path.op == "~~" and path.left != path.right:
            covariances.append(f"{end(path.left)}*{end(path.right)}{value}")
        elif path.op == "~~" and (value or path.left not in explained):
            variances.append(f"{end(path.left)}{value}")
        elif path.op == "~1" and path.left not in explained:
            # Without paths the first outcome's mean stands in the one that has to be there.
            if not explained and path.left in model.outcomes[:1]:
                continue
            means.append(f"{names(path.left)}{value}")
    random = [n for n in (*model.outcomes, *model.latent) if n not in explained]
    apart = [(a, x) for a in random for x in model.covariates]
    apart += [(a, b) for k, a in enumerate(random) for b in random[:k]]
    covariances += [f"{end(a)}*{end(b)}@0" for a, b in apart if frozenset((a, b)) not in written]
    variances += [
        f"{end(name)}@0"
        for name in (*model.outcomes, *model.latent)
        if frozenset((name,)) not in written
    ]
    return variances, covariances, means
