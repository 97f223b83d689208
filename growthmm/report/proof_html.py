"""A proof as HTML: formulas in MathML, small models in full and larger ones by blocks."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from growthmm.report.mathml import equation, expression, matrix, row
from growthmm.report.proof_names import abbreviated
from growthmm.report.proof_text import WHOLE, assumed, conclusion, entries, heading

if TYPE_CHECKING:
    import sympy

    from growthmm.equivalence.proof.proof import CovarianceBlock, Proof
    from growthmm.equivalence.proof.symbols import Parts

__all__ = ["proof_html"]

LONGEST = 70
"""Characters of an expression from which on it is text, which is broken into lines."""


def proof_html(proof: Proof) -> str:
    """The proof as HTML; every name is escaped.

    Of models with few outcomes every mean, variance and covariance is written out on both sides.
    Larger ones are shown by blocks: design and covariance of the random effects beside loadings
    and covariance of the factors, then residuals, and some entries.

    Parameters
    ----------
    proof : Proof
        The proof.

    Examples
    --------
    >>> import growthmm as gm
    >>> found = gm.verify("gpa ~ occasion + (1 | student)", gm.datasets.gpa(), engines=["semopy"])
    >>> proof_html(found.proof())[:38]
    '<p><strong>Both forms imply the same m'
    """
    proof, names = abbreviated(proof)
    parts = [f"<p><strong>{escape(heading(proof))}</strong></p>"]
    parts += [f"<p>{escape(line)}</p>" for line in assumed(proof)]
    parts += [_symbols(names)] if names else []
    parts.append(_mapping(proof))
    if len(proof.outcomes) > WHOLE:
        for block in proof.blocks:
            parts += _block(proof, block)
        parts.append("<p>Some means, variances and covariances, written out:</p>")
    for title, ours, theirs in entries(proof):
        sides = _entry("mixed", ours) + _entry("SEM", theirs)
        parts.append(f"<p>{escape(title)}</p><table><tbody>{sides}</tbody></table>")
    parts += [f"<p>{escape(line)}</p>" for line in conclusion(proof)]
    return "\n".join(parts)


def _symbols(names: Sequence[tuple[sympy.Symbol, sympy.Symbol]]) -> str:
    lines = "".join(
        f'<tr><th scope="row">{escape(short.name)}</th>'
        f'<td class="name">{escape(name.name)}</td></tr>'
        for short, name in names
    )
    return (
        '<table><thead><tr><th scope="col">symbol</th><th scope="col">stands for</th></tr></thead>'
        f"<tbody>{lines}</tbody></table>"
    )


def _mapping(proof: Proof) -> str:
    pairs = (*proof.mapping, *proof.constraints)
    lines = "".join(
        f'<tr><th scope="row" class="name">{escape(left.name)}</th><td>{_math(right)}</td></tr>'
        for left, right in pairs
    )
    return (
        '<table><thead><tr><th scope="col">parameter</th><th scope="col">is</th></tr></thead>'
        f"<tbody>{lines}</tbody></table>"
    )


def _math(value: sympy.Expr) -> str:
    text = str(value)
    if len(text) > LONGEST:
        # Formulas are not broken into lines; text is.
        return f"<code>{escape(text)}</code>"
    return f'<math xmlns="http://www.w3.org/1998/Math/MathML">{expression(value)}</math>'


def _entry(side: str, value: sympy.Expr) -> str:
    return f'<tr><th scope="row">{side}</th><td>{_math(value)}</td></tr>'


def _block(proof: Proof, block: CovarianceBlock) -> list[str]:
    n = len(proof.outcomes)
    whose = f" {block.title}" if block.title else ""
    title = f"Covariance matrix of the {n} outcomes{whose}, by blocks"
    made = [f"<h3>{escape(title)}</h3>"]
    for side, parts, names in (("Mixed model", block.mixed, "ZGR"), ("SEM", block.sem, "ΛΨΘ")):
        made += [f"<p>{side}</p>", *_factored(parts, *names)]
    return made


def _factored(parts: Parts, design: str, covariance: str, residual: str) -> list[str]:
    """The product and what its letters are."""
    sums, made = [], []
    if parts.covariance.rows:
        turned = f"<msup><mi>{design}</mi><mi>⊤</mi></msup>"
        sums.append(f"<mi>{design}</mi><mi>{covariance}</mi>{turned}")
        made = [(design, parts.design), (covariance, parts.covariance)]
    if not parts.residual.is_zero_matrix:
        sums.append(f"<mi>{residual}</mi>")
        made.append((residual, parts.residual))
    whole = equation("<mi>Σ</mi>", row("<mo>+</mo>".join(sums)))
    return [whole, *(equation(f"<mi>{name}</mi>", matrix(value)) for name, value in made)]
