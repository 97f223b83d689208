"""Constraints in positional parameter names, so that no name is code."""

from __future__ import annotations

import re
from collections.abc import Mapping

from growthmm.errors import UnsupportedEngineError

__all__ = ["arithmetic"]

TOKEN = re.compile(r"\s*(?:(\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+)|([^\s+\-*/^()]+)|(\*\*|[-+*/^()]))")


FUNCTIONS = frozenset({"exp", "log", "sqrt", "abs", "sin", "cos"})
"""Functions of constraints, which R has under the same names."""


def arithmetic(
    expression: str,
    parameters: Mapping[str, str],
    program: str,
    meanings: Mapping[str, str] | None = None,
) -> str:
    """Rewrite an expression in positional names; anything but arithmetic is refused.

    Parameters
    ----------
    expression : str
        One side of a constraint.
    parameters : mapping of str to str
        Positional name of each parameter.
    program : str
        Who asks, for the message.
    meanings : mapping of str to str, optional
        Expressions of defined parameters, which are put in.

    Raises
    ------
    UnsupportedEngineError
        If it is no arithmetic over the parameters.

    Examples
    --------
    >>> arithmetic("0.1 * r**2", {"r": "p1"}, "lavaan")
    '0.1 * p1 ^ 2'
    >>> arithmetic("1 - exp(-g)", {"l": "p1"}, "OpenMx", {"g": "-log(1 - l)"})
    '1 - exp ( - ( - log ( 1 - p1 ) ) )'
    """
    given = dict(meanings or {})
    written, position = [], 0
    text = expression.strip()
    while position < len(text):
        found = TOKEN.match(text, position)
        name = None if found is None else found.group(2)
        known = name is None or name in parameters or name in given or name in FUNCTIONS
        if found is None or not known:
            raise UnsupportedEngineError(
                f"The witness {program} takes only arithmetic over parameters, not {expression!r}.",
                hint=f"Parameters: {', '.join(parameters)}.",
            )
        sign = found.group(0).strip()
        if name is None:
            written.append("^" if sign == "**" else sign)
        elif name in parameters:
            written.append(parameters[name])
        elif name in given:
            rest = {key: value for key, value in given.items() if key != name}
            written.append(f"( {arithmetic(given[name], parameters, program, rest)} )")
        else:
            written.append(name)
        position = found.end()
    return " ".join(written)
