"""A proof as text and LaTeX."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from growthmm.equivalence.proof.proof import Proof
from growthmm.report.proof_names import abbreviated

if TYPE_CHECKING:
    import sympy

__all__ = [
    "WHOLE",
    "assumed",
    "conclusion",
    "entries",
    "heading",
    "proof_latex",
    "proof_text",
    "tex_text",
]

WHOLE = 3
"""Outcomes up to which all entries are shown; of more, those of first, second and last."""


def proof_text(proof: Proof) -> str:
    """The proof as text: the map, entries of the moments, and the differences."""
    proof, names = abbreviated(proof)
    lines = [heading(proof), *assumed(proof)]
    if names:
        lines += ["", "Symbols", *(f"  {short} is {name}" for short, name in names)]
    lines += ["", "Parameter map"]
    lines += [f"  {left} = {right}" for left, right in proof.mapping]
    if proof.constraints:
        lines += ["", "Constraints and defined parameters of the SEM"]
        lines += [f"  {left} = {right}" for left, right in proof.constraints]
    for title, ours, theirs in entries(proof):
        lines += ["", title, f"  mixed  {ours}", f"  SEM    {theirs}"]
    return "\n".join([*lines, "", *conclusion(proof)])


def proof_latex(proof: Proof) -> str:
    """The proof as LaTeX (amsmath); names stand upright, with their special letters escaped."""
    proof, names = abbreviated(proof)
    said = " ".join([heading(proof), *assumed(proof)])
    lines = [rf"\noindent {tex_text(said)}"]
    lines += [rf"\noindent ${short}$: {tex_text(name.name)}\\" for short, name in names]
    lines.append(r"\begin{align*}")
    rows = [*proof.mapping, *proof.constraints]
    lines.append(" \\\\\n".join(f"{_tex(left)} &= {_tex(right)}" for left, right in rows))
    lines.append(r"\end{align*}")
    for title, ours, theirs in entries(proof):
        lines += [
            rf"\noindent {tex_text(title)}",
            r"\begin{align*}",
            rf"\text{{mixed:}}\quad & {_tex(ours)} \\",
            rf"\text{{SEM:}}\quad & {_tex(theirs)}",
            r"\end{align*}",
        ]
    return "\n".join([*lines, *(rf"\noindent {tex_text(line)}" for line in conclusion(proof))])


def heading(proof: Proof) -> str:
    """What the proof shows, in a sentence."""
    if proof.holds:
        return "Both forms imply the same means and covariances, whatever the parameters' values."
    return "The forms do not imply the same moments."


def assumed(proof: Proof) -> list[str]:
    """What the proof takes for given, in a sentence; none where it is nothing."""
    if not proof.positive:
        return []
    names = ", ".join(own.name for own in proof.positive)
    return [
        f"It takes {names} to be positive: the correlation of occasions that are no whole number "
        "of time units apart has a value only then."
    ]


def conclusion(proof: Proof) -> list[str]:
    """How many differences are zero, in two sentences."""
    n, blocks = len(proof.outcomes), proof.blocks
    many = len(blocks) * n * (n + 1) // 2
    means = sum(_zeros(block.difference, n) for block in proof.means)
    ours = sum(_zeros(block.difference, n) for block in blocks)
    traced = sum(_zeros(block.traced_difference, n) for block in blocks)
    return [
        f"Mixed less SEM, with the map applied: {means} of {len(proof.means) * n} means "
        f"and {ours} of {many} variances and covariances simplify to zero.",
        f"Read off the path diagram by Wright's tracing rules, {traced} of {many} variances and "
        "covariances are the same again.",
    ]


def _zeros(matrix: sympy.Matrix, n: int) -> int:
    return sum(
        matrix[j, k] == 0 for j in range(n) for k in range(j + 1 if matrix.shape[1] > 1 else 1)
    )


def entries(proof: Proof) -> list[tuple[str, Any, Any]]:
    """Titles and both sides' entries, all of small models and a few of larger ones."""
    n = len(proof.outcomes)
    chosen = list(range(n)) if n <= WHOLE else [0, 1, n - 1]
    found = []
    for means in proof.means:
        whose = f", {means.title}" if means.title else ""
        for j in chosen:
            sides = means.mixed[j].expand(), means.sem[j].expand()
            found.append((f"Mean of {proof.outcomes[j]}{whose}", *sides))
    for block in proof.blocks:
        mixed, sem = block.mixed.whole, block.sem.whole
        whose = f", {block.title}" if block.title else ""
        for j in chosen:
            for k in chosen:
                if k > j:
                    continue
                a, b = proof.outcomes[k], proof.outcomes[j]
                title = f"Variance of {a}" if j == k else f"Covariance of {a} and {b}"
                found.append((f"{title}{whose}", mixed[j, k].expand(), sem[j, k].expand()))
    return found


_SPECIAL = {c: f"\\{c}" for c in "&%$#_{}"} | {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
}


def tex_text(text: str) -> str:
    """Text with LaTeX's special letters escaped."""
    return "".join(_SPECIAL.get(letter, letter) for letter in text)


def _tex(expression: Any) -> str:
    import sympy

    names = {s: rf"\text{{{tex_text(s.name)}}}" for s in expression.free_symbols}
    return str(sympy.latex(expression, symbol_names=names))
