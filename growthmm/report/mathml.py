"""Symbolic expressions and matrices in MathML, which browsers draw without help."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import sympy

__all__ = ["equation", "expression", "matrix", "row"]

SHOWN = 6
"""Rows and columns of a matrix that are written; of more, the first two and the last."""


def expression(value: sympy.Expr) -> str:
    """An expression; names of parameters stand upright, as they are.

    Examples
    --------
    >>> import sympy
    >>> expression(sympy.Symbol("var(<t>)"))
    '<mtext>var(&lt;t&gt;)</mtext>'
    """
    return str(_printer().doprint(value))


@cache
def _printer() -> Any:
    from xml.dom.minidom import Text

    from sympy.printing.mathml import MathMLPresentationPrinter

    class Printer(MathMLPresentationPrinter):  # type: ignore[misc]
        """sympy's, without its reading of names as Greek letters and subscripts."""

        def _print_Symbol(self, sym: Any, style: str = "plain") -> Any:  # noqa: ARG002, N802
            made, text = self.dom.createElement("mtext"), Text()
            # The printer's own text nodes do not escape.
            text.data = sym.name
            made.appendChild(text)
            return made

    return Printer({"mul_symbol": "dot"})


def matrix(value: sympy.Matrix) -> str:
    """A matrix in brackets; of a large one the first two rows and columns and the last."""
    rows, columns = _places(value.rows), _places(value.cols)
    made = []
    for j in rows:
        cells = (_cell(value, j, k) for k in columns)
        made.append(f"<mtr>{''.join(f'<mtd>{cell}</mtd>' for cell in cells)}</mtr>")
    return f"<mrow><mo>[</mo><mtable>{''.join(made)}</mtable><mo>]</mo></mrow>"


def _places(n: int) -> list[int | None]:
    return list(range(n)) if n <= SHOWN else [0, 1, None, n - 1]


def _cell(value: sympy.Matrix, j: int | None, k: int | None) -> str:
    if j is None:
        return "<mo>⋱</mo>" if k is None else "<mo>⋮</mo>"
    return "<mo>⋯</mo>" if k is None else expression(value[j, k])


def row(*pieces: str) -> str:
    """Pieces side by side."""
    return f"<mrow>{''.join(pieces)}</mrow>"


def equation(left: str, right: str) -> str:
    """A displayed equation."""
    return (
        '<math xmlns="http://www.w3.org/1998/Math/MathML" display="block">'
        f"{row(left, '<mo>=</mo>', right)}</math>"
    )
