"""statsmodels: calls of ``mixedlm()`` in Python."""

from __future__ import annotations

import re
from typing import Literal

from growthmm.data.design.names import patsy_name
from growthmm.errors import NotationError
from growthmm.model.defaults import Default
from growthmm.model.expression import quote, tree, variables
from growthmm.model.expression_print import python_string
from growthmm.model.expression_tree import Call, Name
from growthmm.model.mixed import MixedModel, RandomBlock
from growthmm.model.schema import Column, Schema
from growthmm.model.sem import SemModel
from growthmm.model.strata import outcome_indicators
from growthmm.model.terms import INTERCEPT, Term
from growthmm.notation.base import Model, ScriptContext, Written
from growthmm.notation.formula.loss import function_losses, residual_loss, sem_error, spelled
from growthmm.notation.formula.reading import read_formula, read_terms
from growthmm.notation.formula.text import term_text
from growthmm.notation.lag_lines import python_lags
from growthmm.notation.losses.blocks import covariance_losses
from growthmm.notation.statsmodels.call import MixedlmText, find_mixedlm
from growthmm.notation.statsmodels.effects import Effects, plan

__all__ = ["NOTATION", "Statsmodels"]

_PER_GROUP = ("C", "poly", "scale", "bs", "ns", "cr")


class Statsmodels:
    """The notation of statsmodels (Python)."""

    name = "statsmodels"
    title = "statsmodels"
    family: Literal["mixed"] = "mixed"

    def recognises(self, text: str) -> bool:
        """Whether a call of mixedlm() or MixedLM stands in the text."""
        return re.search(r"\bmixedlm\s*\(|\bMixedLM\b", text) is not None

    def read(self, text: str) -> MixedModel:
        """Read a program that holds one call of ``mixedlm()``; nothing of it is run.

        Parameters
        ----------
        text : str
            ``smf.mixedlm("y ~ t", data, groups="id", re_formula="~t").fit(reml=False)``, perhaps
            with imports and other statements around it.

        Returns
        -------
        MixedModel
            Variance components with one column each become a block without covariances.

        Raises
        ------
        NotationError
            If the text is malformed or asks for something unsupported.
        """
        call = find_mixedlm(text)
        formula = read_formula(call.formula, language="python", program="statsmodels")
        if formula.random:
            raise NotationError(
                "statsmodels formulas have no (terms | group)",
                text=call.formula,
                position=call.formula.index("|"),
                hint='Write re_formula="~ terms" and groups="group".',
            )
        defaults = [] if call.reml is not None else [_REML]
        if call.re_formula is None and not call.components:
            defaults.append(_RANDOM)
        return MixedModel(
            response=formula.response,
            fixed=formula.fixed,
            random=_blocks(call),
            estimator="ml" if call.reml is False else "reml",
            notation="statsmodels",
            defaults=(*defaults, _INTERCEPT),
            data=call.data,
        )

    def write(self, model: Model) -> Written:
        """Write a mixed model as a call; uncorrelated random effects as variance components."""
        if isinstance(model, SemModel):
            raise sem_error(self.title)
        effects = plan(model)
        losses = [
            *residual_loss(self.title, model),
            *covariance_losses(self.title, model),
            *effects.losses,
            *function_losses(model, "python"),
        ]
        fit = ".fit()" if model.estimator == "reml" else ".fit(reml=False)"
        return Written(_call_text(model, effects) + fit, tuple(dict.fromkeys(losses)))

    def script(self, model: Model, context: ScriptContext) -> str:
        """A complete Python program; it prints tab-separated lines.

        ``logLik value``, ``fixef name estimate SE``, ``cov row column value``, ``vc name value``
        and ``sigma2 value``.
        """
        if isinstance(model, SemModel):
            raise sem_error(self.title)
        path = python_string(context.data) if context.data is not None else "sys.argv[1]"
        columns = list(dict.fromkeys(_columns(model)))
        used = ", ".join(python_string(c) for c in columns)
        reml = model.estimator == "reml"
        lines = [
            "import sys",
            "",
            "import numpy as np",
            "import pandas as pd",
            "import statsmodels.formula.api as smf",
            "",
            *_reading_lines(context, path),
            *python_lags(context.schema),
            *_level_lines(context),
            f"data = data.dropna(subset=[{used}]).reset_index(drop=True)",
            "",
            f"model = {_call_text(model, plan(model))}",
            f'fit = model.fit(reml={reml}, method=["bfgs", "lbfgs", "cg"], gtol=1e-8)',
            _PRINT,
        ]
        return "\n".join(lines)

    def coefficient(self, column: Column) -> str:
        """Patsy's name of a coefficient."""
        return patsy_name(column)


_REML = Default("estimator", "REML", "MixedLM.fit(): reml=True unless told")
_RANDOM = Default(
    "random effects", "(1 | groups)", "MixedLM: a random intercept where re_formula is None"
)
_INTERCEPT = Default("intercept", "included", "patsy formulas: unless 0 + or - 1")

_PRINT = """
print("logLik", repr(float(fit.llf)), sep="\\t")
for name, value, error in zip(fit.fe_params.index, fit.fe_params, fit.bse_fe):
    print("fixef", repr(name), repr(float(value)), repr(float(error)), sep="\\t")
covariance = pd.DataFrame(fit.cov_re)
for i, row in enumerate(covariance.index):
    for j in range(i + 1):
        value = repr(float(covariance.iloc[i, j]))
        print("cov", repr(row), repr(covariance.columns[j]), value, sep="\\t")
for name, value in zip(model.exog_vc.names, fit.vcomp):
    print("vc", repr(name), repr(float(value)), sep="\\t")
print("sigma2", repr(float(fit.scale)), sep="\\t")
"""


def _reading_lines(context: ScriptContext, path: str) -> list[str]:
    """Read long data, or wide data into the long form."""
    schema = context.schema
    if context.layout == "long" or schema is None or schema.time is None:
        return [f"data = pd.read_csv({path})"]
    person, time = python_string(schema.person), python_string(schema.time)
    lines = [
        f"wide = pd.read_csv({path})",
        f"if {person} not in wide:",
        f"    wide[{person}] = range(1, len(wide) + 1)",
        "parts = []",
    ]
    stems = [(schema.outcome, schema.outcome_columns), *schema.varying_columns]
    for j, value in enumerate(schema.occasions):
        cells = [f"{python_string(stem)}: wide[{python_string(c[j])}]" for stem, c in stems]
        cells += [f"{python_string(n)}: {shown}" for n, shown in _kind(schema, j)]
        shown = ", ".join([f"{time}: {float(value)!r}", *cells])
        lines.append(f"parts.append(wide.assign(**{{{shown}}}))")
    return [*lines, "data = pd.concat(parts, ignore_index=True)"]


def _kind(schema: Schema, occasion: int) -> list[tuple[str, str]]:
    """Which of several outcomes the rows of an occasion hold: the indicator, and numeric ones."""
    if schema.indicator is None:
        return []
    own = schema.series[occasion]
    shown = python_string(own) if isinstance(own, str) else repr(own)
    return [(schema.indicator, shown)] + [
        (name, repr(float(own == outcome))) for name, outcome in outcome_indicators(schema)
    ]


def _blocks(call: MixedlmText) -> tuple[RandomBlock, ...]:
    group = quote(call.groups)
    blocks = []
    if call.re_formula is not None:
        terms = read_terms(call.re_formula)
        if not terms:
            raise NotationError(
                "re_formula has no terms", text=call.re_formula, position=0, hint='Write "~ 1".'
            )
        blocks.append(RandomBlock(terms, group))
    elif not call.components:
        blocks.append(RandomBlock((INTERCEPT,), group))
    gathered: dict[str, list[Term]] = {}
    for name, formula in call.components:
        where, term = _component(name, formula, group)
        gathered.setdefault(where, []).append(term)
    for where, terms_here in gathered.items():
        if len(set(terms_here)) < len(terms_here):
            raise NotationError(
                f"vc_formula has the component {terms_here[0]} twice", hint="Keep one of them."
            )
        covariance: Literal["diagonal", "unstructured"] = (
            "diagonal" if len(terms_here) > 1 else "unstructured"
        )
        blocks.append(RandomBlock(tuple(terms_here), where, covariance))
    return tuple(blocks)


def _component(name: str, formula: str, group: str) -> tuple[str, Term]:
    """The grouping factor and the term of one variance component."""
    terms = read_terms(formula)
    if len(terms) != 1:
        raise NotationError(
            f"The variance component {name!r} has {len(terms)} terms, all with one variance",
            text=formula,
            position=0,
            hint='Give each term a component of its own: {"a": "0 + a", "b": "0 + b"}.',
        )
    inner, slopes = [], []
    for factor in terms[0].factors:
        node = tree(factor)
        function = node.function if isinstance(node, Call) else ""
        column = node.args[0] if isinstance(node, Call) and function == "C" else None
        if isinstance(column, Name) and node == Call("C", (column,)):
            inner.append(quote(column.name))
        elif function in _PER_GROUP:
            raise NotationError(
                f"The variance component {name!r} uses {factor}, which MixedLM evaluates within "
                "each group",
                text=formula,
                position=0,
                hint="Compute the column before the model.",
            )
        else:
            slopes.append(factor)
    return ":".join([group, *inner]), Term(tuple(slopes))


def _call_text(model: MixedModel, effects: Effects) -> str:
    texts = {
        f: _spelled(f)
        for term in (*model.fixed, *(t for b in model.random for t in b.terms))
        for f in term.factors
    }
    formula = f"{_spelled(model.response)} ~ {term_text(model.fixed, texts, explicit=False)}"
    if effects.groups is None:
        return f"smf.ols({python_string(formula)}, data)"
    parts = [python_string(formula), "data", f"groups={python_string(effects.groups)}"]
    only_intercept = effects.correlated == (INTERCEPT,)
    if effects.correlated and not (only_intercept and not effects.components):
        text = term_text(effects.correlated, texts, explicit=False)
        parts.append(f"re_formula={python_string('1' if only_intercept else f'~ {text}')}")
    if effects.components:
        pairs = []
        for component in effects.components:
            factors = [f"C({_spelled(quote(c))})" for c in component.within]
            factors += [texts[f] for f in component.term.factors]
            text = f"0 + {':'.join(factors)}" if factors else "1"
            pairs.append(f"{python_string(component.name)}: {python_string(text)}")
        parts.append(f"vc_formula={{{', '.join(pairs)}}}")
    return f"smf.mixedlm({', '.join(parts)})"


def _spelled(expression: str) -> str:
    return spelled(expression, "python")


def _columns(model: MixedModel) -> list[str]:
    found = list(variables(model.response))
    for term in (*model.fixed, *(t for b in model.random for t in b.terms)):
        for factor in term.factors:
            found += variables(factor)
    for block in model.random:
        found += variables(block.group)
    return found


def _level_lines(context: ScriptContext) -> list[str]:
    lines = []
    for variable in context.schema.variables if context.schema is not None else ():
        if variable.levels is None or variable.levels == (False, True):
            continue
        levels = ", ".join(
            python_string(level) if isinstance(level, str) else repr(level)
            for level in variable.levels
        )
        column = f"data[{python_string(variable.name)}]"
        lines.append(f"{column} = pd.Categorical({column}, categories=[{levels}])")
    return lines


NOTATION = Statsmodels()
"""The notation, as the registry finds it."""
