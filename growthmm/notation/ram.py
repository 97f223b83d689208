"""RAM: a model's matrices A, S, F and m as a table of text; written only."""

from __future__ import annotations

import re
from collections.abc import Sequence

from growthmm.model.sem import Path, SemModel
from growthmm.notation.sem.notation import WrittenOnly
from growthmm.notation.sem.text import number_text, r_string

__all__ = ["NOTATION", "RamNotation", "dump"]

_TITLE = "# RAM matrices"
_LEGEND = (
    "# v = A v + u, E(u) = m, Cov(u) = S, observed = F v",
    "# a number is fixed, a name is a free parameter, data.x is the person's value of x",
)


def dump(model: SemModel) -> str:
    """Write a model's matrices with the names of rows and columns.

    In the reticular action model ``v = A v + u`` with ``E(u) = m`` and ``Cov(u) = S``, the
    outcomes are ``F v``, so that their mean is ``F (I - A)^-1 m`` and their covariance matrix
    ``F (I - A)^-1 S (I - A)^-T F'`` (McArdle & McDonald, 1984,
    doi:10.1111/j.2044-8317.1984.tb00802.x). A covariate on which the likelihood is conditional
    is a variable without variance whose mean is the person's value.

    Parameters
    ----------
    model : SemModel
        The model.

    Returns
    -------
    str
        The matrices of each group, then constraints and defined parameters.

    Examples
    --------
    >>> from growthmm.notation.lavaan.read import read
    >>> print(dump(read("i =~ 1*y0; y0 ~~ r*y0")))
    # RAM matrices
    # v = A v + u, E(u) = m, Cov(u) = S, observed = F v
    # a number is fixed, a name is a free parameter, data.x is the person's value of x
    <BLANKLINE>
    A (row: effect, column: cause)
       y0 i
    y0 0  1
    i  0  0
    <BLANKLINE>
    S (symmetric)
       y0 i
    y0 r  0
    i  0  i~~i
    <BLANKLINE>
    F
       y0 i
    y0 1  0
    <BLANKLINE>
    m
      y0 i
    1 0  i~1
    """
    blocks = ["\n".join([_TITLE, *_LEGEND])]
    for group in range(model.n_groups):
        if model.n_groups > 1:
            label = _name(model.group_labels[group]) if model.group_labels else str(group + 1)
            blocks.append(f"# group {label}")
        blocks += _group(model, group)
    if model.constraints:
        rows = [f"{each.left} {each.op} {each.right}" for each in model.constraints]
        blocks.append("\n".join(["constraints", *map(_line, rows)]))
    if model.defined:
        rows = [f"{each.name} := {each.expression}" for each in model.defined]
        blocks.append("\n".join(["defined", *map(_line, rows)]))
    return "\n\n".join(blocks)


def _group(model: SemModel, group: int) -> list[str]:
    names = [*model.outcomes, *model.latent, *model.covariates]
    index = {name: k for k, name in enumerate(names)}
    size = len(names)
    a = [["0"] * size for _ in range(size)]
    s = [["0"] * size for _ in range(size)]
    f = [["1" if name == row else "0" for name in names] for row in model.outcomes]
    m = ["0"] * size
    for name in model.covariates:
        m[index[name]] = _name(f"data.{name}")
    for path in model.paths:
        if path.group != group:
            continue
        left, cell = index[path.left], _cell(path)
        if path.op == "~1":
            m[left] = cell
        elif path.op == "=~":
            a[index[path.right]][left] = cell
        elif path.op == "~":
            a[left][index[path.right]] = cell
        else:
            right = index[path.right]
            s[left][right] = s[right][left] = cell
    return [
        _matrix("A (row: effect, column: cause)", names, names, a),
        _matrix("S (symmetric)", names, names, s),
        _matrix("F", model.outcomes, names, f),
        _matrix("m", ("1",), names, [m]),
    ]


def _cell(path: Path) -> str:
    if path.definition is not None:
        return _name(f"data.{path.definition}")
    if path.free:
        return _name(path.parameter)
    return number_text(path.value or 0.0)


def _name(text: str) -> str:
    """A name as it is, quoted where it would be taken for something else."""
    return text if re.fullmatch(r'[^\s"#\d+.-][^\s"#]*', text) else r_string(text)


def _line(text: str) -> str:
    return " ".join(text.split())


def _matrix(
    title: str, rows: Sequence[str], columns: Sequence[str], cells: Sequence[Sequence[str]]
) -> str:
    names = ["1"] if tuple(rows) == ("1",) and title == "m" else [_name(row) for row in rows]
    table = [["", *(_name(column) for column in columns)]]
    table += [[name, *row] for name, row in zip(names, cells, strict=True)]
    widths = [max(len(row[k]) for row in table) for k in range(len(table[0]))]
    lines = [
        " ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in table
    ]
    return "\n".join([title, *lines])


class RamNotation(WrittenOnly):
    """The matrices of the reticular action model, as a notation that is only written."""

    name = "ram"
    title = "RAM matrices"
    shown_as = "RAM matrices"
    of_sems = "RAM matrices are of a structural equation model"
    unread = "RAM matrices are written, not read."

    def render(self, model: SemModel) -> str:
        """The matrices; see :func:`dump`."""
        return dump(model)

    def recognises(self, text: str) -> bool:
        """Whether `text` is such a dump."""
        return text.startswith(_TITLE)


NOTATION = RamNotation()
