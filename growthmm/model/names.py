"""Names of the covariance parameters of a mixed model, the same for every engine."""

from __future__ import annotations

import re

__all__ = ["covariance_name", "in_stratum", "residual_name", "shared_names", "stratum_names"]

RESIDUAL = "Residual"


def covariance_name(first: str, second: str, group: str) -> str:
    """Name of an entry of the random effects' covariance matrix.

    Examples
    --------
    >>> covariance_name("(Intercept)", "t", "id"), covariance_name("t", "t", "id")
    ('cov((Intercept),t|id)', 'var(t|id)')
    """
    return f"var({first}|{group})" if first == second else f"cov({first},{second}|{group})"


def stratum_names(levels: tuple[str, ...], occasions: tuple[float, ...] | None) -> tuple[str, ...]:
    """Levels of groups, with every occasion where residual variances differ between these too.

    Examples
    --------
    >>> stratum_names(("f", "m"), None), stratum_names(("f",), (0.0, 1.0))
    (('f', 'm'), ('f,0', 'f,1'))
    """
    if occasions is None:
        return levels
    return tuple(f"{level},{time:.15g}" for level in levels for time in occasions)


def shared_names(names: tuple[str, ...], group: str) -> tuple[str, str]:
    """Names of the variance and the covariance that several random effects have in common.

    Examples
    --------
    >>> shared_names(("a", "b", "c"), "id")
    ('var(a,b,c|id)', 'cov(a,b,c|id)')
    """
    listed = ",".join(names)
    return f"var({listed}|{group})", f"cov({listed}|{group})"


def residual_name(stratum: str | float | None = None) -> str:
    """Name of a residual variance: of all rows, or of one occasion or group.

    Examples
    --------
    >>> residual_name(), residual_name(2.0), residual_name("male")
    ('var(Residual)', 'var(Residual[2])', 'var(Residual[male])')
    """
    if stratum is None:
        return f"var({RESIDUAL})"
    shown = stratum if isinstance(stratum, str) else f"{stratum:.15g}"
    return f"var({RESIDUAL}[{shown}])"


def in_stratum(name: str, stratum: str) -> str:
    """Name of a residual parameter of one group, from its name where there are no groups.

    Examples
    --------
    >>> in_stratum("rho(Residual)", "male"), in_stratum("cov(Residual[0],Residual[1])", "male")
    ('rho(Residual[male])', 'cov(Residual[male,0],Residual[male,1])')
    """

    def placed(found: re.Match[str]) -> str:
        return f"{found[1]}[{stratum}" + ("," if found[2] else "]")

    return re.sub(rf"\b({RESIDUAL}|AR1)(\[)?", placed, name)
