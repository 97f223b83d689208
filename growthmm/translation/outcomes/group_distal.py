"""What is regressed on growth factors, in several groups: which of its parameters groups share.

An outcome that persons have once is one more random effect (see
:mod:`growthmm.translation.outcomes.distal`), and so is a growth factor that is regressed on
another. Their means, effects and covariances are no parameters of the structural equation model but
follow from several. Groups share one of these where they share all that it follows from. Where they
share some of that alone, the covariances of the groups are tied by products of parameters, which no
mixed model says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from growthmm.model.bound import BoundSem
from growthmm.model.defaults import Loss, NonlinearLoss
from growthmm.model.growth import parameter_keys
from growthmm.model.sem import Path
from growthmm.translation.outcomes.distal import distal_cells

__all__ = ["following_names", "label_losses", "shown_names"]

FOLLOWS = "\0"
"""Around what stands for a parameter that follows from several of the SEM's."""

Rows = frozenset[tuple[str, str, str, str]]


def shown_names(
    names: Sequence[tuple[str, str]], texts: Mapping[str, str]
) -> list[tuple[str, str]]:
    """Names with the arithmetic that is known of what follows from several, without the others.

    Parameters
    ----------
    names : sequence of (str, str)
        Growth parameter keys; parameters, differences of them, or what :func:`following_names`
        has for them.
    texts : mapping of str to str
        For some of the latter the arithmetic.
    """
    found = []
    for key, own in names:
        text = own
        for mark, known in texts.items():
            text = text.replace(mark, known if text == mark else f"({known})")
        if FOLLOWS not in text:
            found.append((key, text))
    return found


def following_names(bound: BoundSem) -> tuple[dict[str, str], dict[str, str]]:
    """For each parameter that follows from several of a group's, what it follows from.

    Parameters
    ----------
    bound : BoundSem
        The model of one group.

    Returns
    -------
    names : dict of str to str
        Growth parameter keys, and a text that two groups have in common where the parameter is
        one for both.
    texts : dict of str to str
        For some of these texts the arithmetic by which it follows.
    """
    columns = _columns(bound)
    known = {key for key, _ in bound.names}
    rules = {key: text for key, text in bound.rules if key.split(":")[0] != "residual"}
    factors = columns | {name: name for name in _regressed(bound)}
    made, texts = {}, {}
    for key in parameter_keys(bound.growth):
        head, *ends = key.split(":")
        if key in known or not (key in rules or set(ends) & set(columns)):
            continue
        own = [factors[end] for end in dict.fromkeys(ends) if end in factors]
        last = own[-1] if len(own) == 1 else ""
        kind = head
        if head == "cov" and len(set(ends)) == 1:
            kind, last = ("variance" if ends[0] in columns else "cov"), ""
        rows = sorted(_rows(bound, kind, ends[-1] if head == "effect" else last))
        made[key] = f"{FOLLOWS}{key}{rows}{FOLLOWS}"
        if key in rules:
            texts[made[key]] = rules[key]
    return made, texts


def label_losses(bound: Sequence[BoundSem]) -> list[Loss]:
    """Labels on rows of what is regressed on growth, of groups that differ otherwise.

    Parameters
    ----------
    bound : sequence of BoundSem
        The models of the groups.
    """
    seen: dict[tuple[str, str], set[Rows]] = {}
    for each in bound:
        columns = {*_columns(each).values(), *_regressed(each)}
        for path in each.model.paths:
            if not path.free or path.left not in columns:
                continue
            if path.op == "~~" and path.right != path.left:
                continue
            covariate = path.right in each.model.covariates
            head = "mean" if path.op == "~1" else "effect" if covariate else "cov"
            last = path.right if covariate else path.left
            if path.op == "~~":
                head = "cov" if path.left in each.model.latent else "variance"
                last = ""
            rows = _rows(each, head, last)
            seen.setdefault((path.left, path.parameter), set()).add(rows)
    return [
        NonlinearLoss(
            f"the label {label} on {z} in groups that differ otherwise",
            f"that groups share a path to {z} or a variance of it, and not all from which its "
            "mean and covariances follow, ties these by products of parameters; a mixed "
            "model's random effects covary freely in each group, or alike",
            f"paths to {z} without labels in common, or all labels of {z} and of the growth "
            "factors in common",
        )
        for (z, label), found in seen.items()
        if len(found) > 1
    ]


def _columns(bound: BoundSem) -> dict[str, str]:
    """The outcomes that persons have once and that are regressed on growth, by their factors."""
    alone = distal_cells(bound.schema)
    found = {}
    for factor in bound.growth.factors:
        places = [j for j, value in enumerate(factor.loadings) if value]
        if factor.name not in bound.model.latent and len(places) == 1 and places[0] in alone:
            found[factor.name] = bound.schema.outcome_columns[places[0]]
    return found


def _regressed(bound: BoundSem) -> set[str]:
    """The growth factors that are regressed on others."""
    latent = set(bound.model.latent)
    return {p.left for p in bound.model.paths if p.op == "~" and {p.left, p.right} <= latent}


def _rows(bound: BoundSem, head: str, last: str) -> Rows:
    """The rows from which a parameter follows.

    Parameters
    ----------
    bound : BoundSem
        The model of one group.
    head : {"mean", "effect", "cov", "variance"}
        What it is: a variance is that of an outcome, with its residual.
    last : str
        The covariate of an effect; of a covariance what alone is left of the two, whose own
        variance takes no part.
    """
    model = bound.model
    nodes = {*model.latent, *_columns(bound).values()}

    def wanted(path: Path) -> bool:
        if path.op == "~" and path.left in nodes and path.right in nodes:
            return True
        if head == "mean":
            return path.op == "~1" and path.left in nodes
        if head == "effect":
            return path.op == "~" and path.left in nodes and path.right == last
        if path.op != "~~" or head == "variance":
            return path.op == "~~"
        return {path.left, path.right} <= nodes and {path.left, path.right} != {last}

    return frozenset(
        (path.left, path.op, path.right, path.parameter if path.free else f"{path.value:g}")
        for path in model.paths
        if wanted(path) and (path.free or path.value)
    )
