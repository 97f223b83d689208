"""A growth model's equations in MathML, which browsers draw without help."""

from __future__ import annotations

from html import escape

from growthmm.model.growth import DirectEffect, GrowthFactor, GrowthModel
from growthmm.model.residual import BY_LEVEL
from growthmm.model.schema import Column
from growthmm.report.text_size import shortened

__all__ = ["equations_mathml"]

LONGEST = 40
"""Characters of a name; formulas are not broken into lines."""


def equations_mathml(growth: GrowthModel) -> tuple[tuple[str, str], ...]:
    """The level of occasions, the growth factors, and the distributions.

    Parameters
    ----------
    growth : GrowthModel
        The model.

    Returns
    -------
    tuple of (str, str)
        For each equation what it says, and ``<math>...</math>`` with every name escaped.
    """
    outcome = _indexed(growth.schema.outcome, "ti")
    terms = [_within(factor) for factor in growth.factors]
    terms += [
        _product(f"<msub>{_greek('δ')}<mn>{m.occasion}</mn></msub>", _column(m.column))
        for m in growth.occasion_means
    ]
    terms += [_effect(growth, effect) for effect in growth.direct_effects]
    made = [("Within persons", _equation(outcome, [*terms, _indexed("e", "ti")]))]
    made += [(f"Growth factor {f.name}", _between(growth, f)) for f in growth.factors]
    group = "<mi>g</mi>" if growth.by_group else ""
    if growth.outer_blocks:
        clusters = growth.outer_blocks
        names = ", ".join(name for block in clusters for name in block.factors)
        made.append(
            (f"Clusters c of persons ({names})", _distribution("υ", "c", "Ψ", "<mi>b</mi>"))
        )
    if growth.random_factors:
        own = group if any(block.groups for block in growth.blocks) else ""
        made.append(("Persons", _distribution("ζ", "i", "Ψ", own)))
    own = group if growth.residual.kind in BY_LEVEL else ""
    person = growth.residual.of_person
    structure = RESIDUALS.get(person.kind, str(person))
    if growth.residual.within is not None:
        structure += ", of each group its own"
    if growth.residual.kind == "by_group" and growth.schema.series:
        structure = "with a variance for each outcome"
    title = f"Residuals, {structure}"
    made.append((title, _distribution("e", "i", "Θ", own)))
    return tuple(made)


RESIDUALS = {
    "common": "with one variance",
    "by_occasion": "with a variance for each occasion",
    "by_group": "with a variance for each group",
    "ar1": "first-order autoregressive",
    "ar1+common": "first-order autoregressive plus independent errors",
    "arh1": "first-order autoregressive with a variance for each occasion",
    "cs": "compound symmetric",
    "csh": "with one correlation and a variance for each occasion",
    "toeplitz": "with a covariance for each distance in occasions",
    "banded": "with covariances of near occasions",
    "unstructured": "with a variance for each occasion and a covariance for each pair",
}


def _distribution(letter: str, index: str, matrix: str, of: str) -> str:
    """That a vector is normal with mean zero and a covariance matrix."""
    name = f"<msub>{_greek(matrix)}{of}</msub>" if of else _greek(matrix)
    return _math(f"<msub>{_greek(letter)}<mi>{index}</mi></msub>{_normal(name)}")


def _greek(letter: str) -> str:
    return f"<mi>{letter}</mi>"


def _name(text: str) -> str:
    return f"<mtext>{escape(shortened(text, LONGEST))}</mtext>"


def _indexed(text: str, index: str) -> str:
    return f"<msub>{_name(text)}<mi>{index}</mi></msub>"


def _product(*factors: str) -> str:
    return "<mo>·</mo>".join(f for f in factors if f)


def _math(body: str) -> str:
    return (
        '<math xmlns="http://www.w3.org/1998/Math/MathML" display="block">'
        f"<mrow>{body}</mrow></math>"
    )


def _equation(left: str, terms: list[str]) -> str:
    return _math(f"{left}<mo>=</mo>{'<mo>+</mo>'.join(terms)}")


def _normal(matrix: str) -> str:
    zero = '<mn mathvariant="bold">0</mn>'
    return f"<mo>∼</mo><mi>N</mi><mo>(</mo>{zero}<mo>,</mo>{matrix}<mo>)</mo>"


def _column(column: Column) -> str:
    """A product of functions, empty for the constant."""
    return "<mo>·</mo>".join(
        _name(part.expression + (f"[{part.label}]" if part.label else "")) for part in column.parts
    )


def _within(factor: GrowthFactor) -> str:
    loading = _column(factor.column)
    if factor.cells:
        loading = f"<msub>{_greek('λ')}{_name(factor.name)}</msub><mo>(</mo><mi>t</mi><mo>)</mo>"
    return _product(loading, _indexed(factor.name, "i"))


def _effect(growth: GrowthModel, effect: DirectEffect) -> str:
    covariate = growth.covariate(effect.covariate)
    index = "ti" if covariate.time_varying else "i"
    moving = "" if effect.column is None else _column(effect.column)
    at = "" if effect.occasion is None else f"<mn>{effect.occasion}</mn>"
    slope = f"<msub>{_greek('κ')}<mrow>{_name(covariate.name)}{at}</mrow></msub>"
    return _product(slope, moving, _indexed(covariate.name, index))


def _between(growth: GrowthModel, factor: GrowthFactor) -> str:
    terms = [f"<msub>{_greek('α')}{_name(factor.name)}</msub>"] if factor.mean else []
    terms += [
        _product(
            f"<msub>{_greek('γ')}<mrow>{_name(factor.name)}<mo>,</mo>"
            f"{_name(effect.covariate)}</mrow></msub>",
            _indexed(effect.covariate, "i"),
        )
        for effect in growth.predictor_effects
        if effect.factor == factor.name
    ]
    if factor.random:
        terms.append(f"<msub>{_greek('ζ')}<mrow>{_name(factor.name)}<mi>i</mi></mrow></msub>")
    if any(factor.name in block.factors for block in growth.outer_blocks):
        terms.append(f"<msub>{_greek('υ')}<mrow>{_name(factor.name)}<mi>c</mi></mrow></msub>")
    return _equation(_indexed(factor.name, "i"), terms or ["<mn>0</mn>"])
