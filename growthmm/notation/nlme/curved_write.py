"""A mixed model whose terms hold parameters, as the arguments of ``nlme()``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from growthmm.model.defaults import Loss
from growthmm.model.expression import quote, spell, tree, variables
from growthmm.model.expression_print import number_text, show
from growthmm.model.expression_tree import Call
from growthmm.model.mixed import MixedModel, RandomBlock
from growthmm.model.terms import Term
from growthmm.notation.formula.loss import spelled
from growthmm.notation.formula.text import term_text
from growthmm.notation.nlme.write import residual_arguments
from growthmm.notation.residual_columns import columns

__all__ = ["curved_arguments", "curved_losses", "ordinary_least_squares"]

Factors = tuple[str, ...]


class _Coefficients:
    """The coefficients of a model: what each multiplies, and the terms of its formula."""

    def __init__(self, model: MixedModel) -> None:
        self.parameters = model.loading_names
        self.taken = {*columns(model), *self.parameters}
        self.formulas: dict[Factors, list[Term]] = {}
        for term in model.fixed:
            own, rest = self.cut(term)
            self.formulas.setdefault(own, []).append(rest)
        self.fixed = dict(self.formulas)
        for block in model.random:
            for term in block.terms:
                own, _ = self.cut(term)
                if not self.is_parameter(own):
                    self.formulas.setdefault(own, [])
        self.names: dict[Factors, str] = {}
        for place, own in enumerate(self.formulas):
            self.names[own] = self.fresh(f"b{place}")

    def cut(self, term: Term) -> tuple[Factors, Term]:
        """The factors of a term that hold parameters, and the others."""
        own = tuple(f for f in term.factors if set(variables(f)) & set(self.parameters))
        return own, Term(tuple(f for f in term.factors if f not in own))

    def is_parameter(self, own: Factors) -> bool:
        """Whether it is the random effect of a parameter itself."""
        return len(own) == 1 and own[0] in {quote(name) for name in self.parameters}

    def fresh(self, wish: str) -> str:
        while wish in self.taken:
            wish += "_"
        self.taken.add(wish)
        return wish


def curved_arguments(model: MixedModel, *, whole_times: bool = True) -> dict[str, str]:
    """The arguments of ``nlme()`` by name, the model first.

    Parameters
    ----------
    model : MixedModel
        With loading parameters.
    whole_times : bool
        Whether times are whole numbers apart.

    Returns
    -------
    dict of str to str
        The values in R's spelling.
    """
    own = _Coefficients(model)
    products = [
        " * ".join([own.names[factors], *(_multiplier(f) for f in factors)])
        for factors in own.formulas
    ]
    parts = {"model": f"{spelled(model.response, 'r')} ~ {' + '.join(products)}"}
    fixed = [(own.names[factors], _right(terms)) for factors, terms in own.fixed.items()]
    fixed += [(spell(quote(name), "r"), "1") for name in own.parameters]
    parts["fixed"] = _formulas(fixed)
    if model.random:
        parts["random"] = _random(own, _joined(model.random))
    starts = [
        f"{own.names[factors]} = 1" if len(terms) == 1 else ", ".join(["1"] * len(terms))
        for factors, terms in own.fixed.items()
    ]
    starts += [
        f"{spell(quote(p.name), 'r')} = {number_text(_start(p.start))}"
        for p in model.loading_parameters
    ]
    parts |= residual_arguments(model, whole_times=whole_times)
    parts["start"] = f"c({', '.join(starts)})"
    return parts


def _start(value: float | None) -> float:
    """A starting value, which needs few digits."""
    return 0.5 if value is None else float(f"{value:.6g}")


def _multiplier(factor: str) -> str:
    node = tree(factor)
    inner = node.args[0] if isinstance(node, Call) and node.function == "I" else node
    return f"({show(inner, 'r')})"


def _right(terms: Sequence[Term]) -> str:
    texts = {f: spelled(f, "r") for term in terms for f in term.factors}
    return term_text(terms, texts, explicit=False)


def _formulas(pairs: Sequence[tuple[str, str]]) -> str:
    """Coefficients with their formulas: together where all are alike, else as a list."""
    rights = dict.fromkeys(right for _, right in pairs)
    joined = [
        f"{' + '.join(name for name, own in pairs if own == right)} ~ {right}" for right in rights
    ]
    return joined[0] if len(joined) == 1 else f"list({', '.join(joined)})"


def _random(own: _Coefficients, blocks: Sequence[RandomBlock]) -> str:
    if not _nested(blocks):
        return _block(own, blocks[0])
    inner = spell(quote(variables(blocks[1].group)[-1]), "r")
    elements = [
        (spell(blocks[0].group, "r"), _kind(blocks[0]), _coefficients(own, blocks[0])),
        (inner, _kind(blocks[1]), _coefficients(own, blocks[1])),
    ]
    return f"list({', '.join(f'{group} = {kind}({text})' for group, kind, text in elements)})"


def _nested(blocks: Sequence[RandomBlock]) -> bool:
    """Whether the second of two blocks is of groups within those of the first."""
    if len(blocks) != 2:
        return False
    outer, inner = (variables(block.group) for block in blocks)
    return len(outer) == 1 and len(inner) == 2 and inner[0] == outer[0]


def _kind(block: RandomBlock) -> str:
    return "pdDiag" if block.covariance == "diagonal" else "pdSymm"


def _block(own: _Coefficients, block: RandomBlock) -> str:
    group, text = spell(block.group, "r"), _coefficients(own, block)
    if block.covariance == "unstructured" and not text.startswith("list("):
        return f"{text} | {group}"
    return f"list({group} = {_kind(block)}({text}))"


def _coefficients(own: _Coefficients, block: RandomBlock) -> str:
    """The block's coefficients with their formulas."""
    found: dict[str, list[Term]] = {}
    for term in block.terms:
        factors, rest = own.cut(term)
        if own.is_parameter(factors):
            found[spell(factors[0], "r")] = [Term()]
        else:
            found.setdefault(own.names[factors], []).append(rest)
    pairs = [(name, _right(terms)) for name, terms in found.items()]
    return _formulas(pairs)


def _joined(blocks: Sequence[RandomBlock]) -> tuple[RandomBlock, ...]:
    """Blocks of one person's effects that are all uncorrelated, as one diagonal block."""
    alone = all(block.covariance == "diagonal" or len(block.terms) == 1 for block in blocks)
    if len(blocks) < 2 or not alone or len({block.group for block in blocks}) > 1:
        return tuple(blocks)
    terms = tuple(term for block in blocks for term in block.terms)
    return (replace(blocks[0], terms=terms, covariance="diagonal"),)


def curved_losses(model: MixedModel) -> list[Loss]:
    """What ``nlme()`` cannot say of a model with loading parameters."""
    lost = []
    own = _Coefficients(model)
    joined = _joined(model.random)
    if len(joined) > 1 and not _nested(joined):
        lost.append(
            Loss(
                "several blocks of random effects",
                "random effects of nlme() are written in one block here",
                "one block (terms | person)",
            )
        )
    if not model.random:
        lost.append(
            Loss("no random effects", "nlme() fits models with random effects", "nlme::gnls()")
        )
    lost += [
        Loss(
            f"random effect of {' '.join(factors)} without a mean",
            "a coefficient of nlme() has a fixed effect",
            "a mean for it",
        )
        for factors in own.formulas
        if factors not in own.fixed
    ]
    return lost


def ordinary_least_squares(model: MixedModel) -> list[str]:
    """Lines of R that find starting values.

    The linear coefficients given the parameters by ``lm()``, the parameters by minimising what it
    leaves.
    """
    own = _Coefficients(model)
    parameters = [spell(quote(name), "r") for name in own.parameters]
    starts = [_start(p.start) for p in model.loading_parameters]
    columns_ = []
    for factors, terms in own.fixed.items():
        shown = "*".join(_multiplier(f) for f in factors)
        for term in terms:
            pieces = ([f"I({shown})"] if shown else []) + [spelled(f, "r") for f in term.factors]
            columns_.append(":".join(pieces) if pieces else "1")
    right = " + ".join(["0", *(c if c != "1" else "I(rep(1, nrow(data)))" for c in columns_)])
    return [
        "linear <- function(values) {",
        *(f"  {name} <- values[[{place + 1}]]" for place, name in enumerate(parameters)),
        f"  lm(terms({spelled(model.response, 'r')} ~ {right}, keep.order = TRUE), data)",
        "}",
        f"begin <- c({', '.join(number_text(value) for value in starts)})",
        "begin <- optim(begin, function(values) deviance(linear(values)), "
        'method = if (length(begin) == 1) "BFGS" else "Nelder-Mead")$par',
        "start <- c(coef(linear(begin)), begin)",
    ]
