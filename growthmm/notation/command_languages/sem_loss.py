"""What PROC CALIS and Stata's ``sem`` cannot say of a structural equation model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from growthmm.errors import NotationError
from growthmm.model.defaults import Loss
from growthmm.model.sem import SemModel
from growthmm.notation.command_languages.names import NameRule, Names
from growthmm.notation.command_languages.sem import same_sem
from growthmm.notation.losses.definitions import definition_losses

__all__ = ["misread", "sayable", "sem_names"]


def sayable(model: SemModel, title: str) -> tuple[SemModel, list[Loss]]:
    """The part of a model that a program of one group and fixed loadings can say, and the rest.

    Parameters
    ----------
    model : SemModel
        Any model.
    title : str
        The program.
    """
    losses = definition_losses(model, title)
    if model.estimator == "reml":
        losses.append(Loss("estimator = reml", f"{title} has maximum likelihood alone", "ML"))
    if model.n_groups > 1 or model.group_variable is not None:
        why = f"several groups are not written for {title}"
        losses.append(Loss(f"{model.n_groups} groups", why, "lavaan, Mplus or OpenMx"))
    losses += [
        Loss(
            f"{defined.name} := {defined.expression}",
            f"{title}'s model has no defined parameters",
            "compute it from the estimates after the fit",
        )
        for defined in model.defined
    ]
    losses += [
        Loss(
            f"bounds of {path.name}",
            f"{title} bounds parameters by their names",
            "give the parameter a label",
        )
        for path in model.paths
        if (path.lower is not None or path.upper is not None) and not path.label
    ]
    paths = tuple(path for path in model.paths if path.definition is None and path.group == 0)
    kept = replace(
        model,
        paths=paths,
        estimator="ml",
        defined=(),
        n_groups=1,
        group_variable=None,
        group_labels=(),
    )
    return kept, losses


def sem_names(model: SemModel, rule: NameRule) -> tuple[Names, Names]:
    """The spelling of variables, and that of labels, which have to be plain."""
    named = (*model.outcomes, *model.covariates, *model.latent)
    variables = Names(rule, named, free_to_rename=model.latent)
    labels = dict.fromkeys(path.label for path in model.paths if path.label)
    return variables, Names(replace(rule, quote=None), labels, free_to_rename=labels)


def misread(model: SemModel, read: Callable[[], SemModel], title: str) -> list[Loss]:
    """The loss of the whole model, where its text is read as another or not at all.

    Parameters
    ----------
    model : SemModel
        What was written.
    read : callable
        Reads its text.
    title : str
        The program.
    """
    try:
        why = "" if same_sem(read(), model) else f"{title} reads its text as another model"
    except NotationError as error:
        why = error.message.split("\n")[0]
    return [Loss("the model as a whole", why, "write the rows another way")] if why else []
