"""Labels of a structural equation model that tie parameters which formulas keep apart."""

from __future__ import annotations

from collections.abc import Sequence

from growthmm.model.defaults import Loss

__all__ = ["described", "tied_labels"]


def described(key: str) -> str:
    """What a growth parameter's key says, in words.

    Examples
    --------
    >>> described("mean:i"), described("effect:s:x"), described("cov:i:s"), described("cov:i:i")
    ('the mean of i', 'the effect of x on s', 'the covariance of i and s', 'the variance of i')
    """
    head, _, rest = key.partition(":")
    first, _, second = rest.partition(":")
    if head == "mean":
        return f"the mean of {first}"
    if head == "effect":
        return f"the effect of {second} on {first}"
    if head == "cov":
        same = first == second
        return f"the variance of {first}" if same else f"the covariance of {first} and {second}"
    if head == "occasion":
        return f"the mean at occasion {int(first) + 1}"
    if head == "direct":
        return f"the effect of {rest} on the outcome"
    return f"a {'loading' if head == 'loading' else 'residual (co)variance'}"


def tied_labels(names: Sequence[tuple[str, str]]) -> list[Loss]:
    """A loss for each name that several growth parameters share.

    Parameters
    ----------
    names : sequence of (str, str)
        Keys of growth parameters, and the SEM's names for them.
    """
    tied: dict[str, list[str]] = {}
    for key, name in names:
        tied.setdefault(name, []).append(key)
    return [
        Loss(
            f"the label {label} on several parameters",
            f"it makes {' and '.join(shown)} equal, and a formula has no equal coefficients",
            "parameters without the label, or growthmm fit on the SEM side",
        )
        for label, keys in tied.items()
        if len(keys) > 1
        for shown in [[described(key) for key in keys]]
    ]
