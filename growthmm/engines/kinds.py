"""What each free parameter of a structural equation model is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from growthmm.engines.outcome import ParameterKind

if TYPE_CHECKING:
    from growthmm.model.sem import SemModel

__all__ = ["path_kinds"]

DIRECT: dict[str, ParameterKind] = {"=~": "loading", "~": "regression", "~1": "mean"}


def path_kinds(model: SemModel) -> tuple[ParameterKind, ...]:
    """Name the kind of each free parameter, by the first row that holds it.

    Parameters
    ----------
    model : SemModel
        The model.

    Returns
    -------
    tuple of str
        In the order of ``SemModel.free_parameters``; (co)variances among observed variables are
        residual.

    Examples
    --------
    >>> from growthmm.model.sem import Path, SemModel
    >>> path_kinds(SemModel((Path("y", "~1"), Path("y", "~~", "y")), (), ("y",)))
    ('mean', 'residual')
    """
    first = {path.parameter: path for path in reversed(model.paths) if path.free}
    kinds: list[ParameterKind] = []
    for name in model.free_parameters:
        path = first[name]
        if path.op in DIRECT:
            kinds.append(DIRECT[path.op])
        elif path.left not in model.latent and path.right not in model.latent:
            kinds.append("residual")
        else:
            kinds.append("variance" if path.left == path.right else "covariance")
    return tuple(kinds)
