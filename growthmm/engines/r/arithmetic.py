"""Constraints in positional parameter names, so that no name is code."""

from __future__ import annotations

import re
from collections.abc import Mapping

from growthmm.errors import UnsupportedEngineError

__all__ = ["arithmetic"]

TOKEN = re.compile(r"\s*(?:(\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+)|([^\s+\-*/^()]+)|(\*\*|[-+*/^()]))")


def arithmetic(expression: str, parameters: Mapping[str, str], program: str) -> str:
    """Rewrite an expression in positional names; anything but arithmetic is refused.

    Parameters
    ----------
    expression : str
        One side of a constraint.
    parameters : mapping of str to str
        Positional name of each parameter.
    program : str
        Who asks, for the message.

    Raises
    ------
    UnsupportedEngineError
        If it is no arithmetic over the parameters.

    Examples
    --------
    >>> arithmetic("0.1 * r**2", {"r": "p1"}, "lavaan")
    '0.1 * p1 ^ 2'
    """
    written, position = [], 0
    text = expression.strip()
    while position < len(text):
        found = TOKEN.match(text, position)
        name = None if found is None else found.group(2)
        if found is None or (name is not None and name not in parameters):
            raise UnsupportedEngineError(
                f"The witness {program} takes only arithmetic over parameters, not {expression!r}.",
                hint=f"Parameters: {', '.join(parameters)}.",
            )
        sign = found.group(0).strip()
        written.append(parameters[name] if name is not None else "^" if sign == "**" else sign)
        position = found.end()
    return " ".join(written)
