"""Loadings with parameters as rows, constraints and defined parameters of an SEM."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from growthmm.data.names import wide_columns
from growthmm.errors import UnsupportedError
from growthmm.model.defaults import Loss
from growthmm.model.expression_tree import Call, Name, Negative, Node, Number, Operation, parse
from growthmm.model.growth import GrowthFactor, GrowthModel
from growthmm.model.phantoms import Phantom
from growthmm.model.sem import Constraint, Defined, Path
from growthmm.translation.definitions import fixed_loadings
from growthmm.translation.loadings.change_rows import ChangeRows, change_rows
from growthmm.translation.sem_arithmetic import sem_text
from growthmm.translation.states import state_loadings

__all__ = ["LoadingRows", "inverted", "loading_rows"]


@dataclass(frozen=True)
class LoadingRows:
    """What the loadings of a growth model are in an SEM.

    Parameters
    ----------
    paths : tuple of Path
        Rows.
    constraints : tuple of Constraint
        That tie the loadings of a curve to its parameter.
    defined : tuple of Defined
        The parameters of curves.
    names : tuple of (str, str)
        Keys of free loadings and the SEM's parameters.
    latent : tuple of str
        Latent variables beside the growth factors.
    phantoms : tuple of Phantom
        Parameters of curves that no loading gives.
    """

    paths: tuple[Path, ...]
    constraints: tuple[Constraint, ...] = ()
    defined: tuple[Defined, ...] = ()
    names: tuple[tuple[str, str], ...] = ()
    latent: tuple[str, ...] = ()
    phantoms: tuple[Phantom, ...] = ()


def loading_rows(growth: GrowthModel) -> LoadingRows:
    """The loadings of all growth factors as rows.

    A free loading is a free row with the parameter's name as label. The loadings of a curve are
    free rows too, all but one constrained: the curve's parameter is defined from the first of them
    that holds it, by solving for it. Several parameters, and one that cannot be solved for, are
    parameters of their own, and all these loadings are constrained. A level and a change that is
    proportional to it are written as true scores and their differences.

    Parameters
    ----------
    growth : GrowthModel
        With shared occasions and their wide columns in the schema.

    Raises
    ------
    UnsupportedError
        If constraints have no words for a curve.
    """
    maker = _Maker(growth)
    change = change_rows(growth, maker.taken)
    if change is not None:
        maker.change(change)
    for factor in growth.factors:
        if change is None or factor.name not in change.factors:
            maker.factor(factor)
    if maker.losses:
        raise UnsupportedError(
            "No latent growth curve here says parts of this model.",
            losses=maker.losses,
            hint="growthmm fit still fits it on the long side.",
        )
    return LoadingRows(
        tuple(maker.paths),
        tuple(maker.constraints),
        tuple(maker.defined),
        tuple(maker.names),
        () if change is None else change.latent,
        tuple(maker.phantoms),
    )


class _Maker:
    def __init__(self, growth: GrowthModel) -> None:
        self.growth = growth
        self.outcomes = growth.schema.outcome_columns
        self.keys = {name: key for key, name in growth.loading_keys}
        taken = {*self.outcomes, *(factor.name for factor in growth.factors), *self.keys}
        taken |= {name for covariate in growth.covariates for name in covariate.columns}
        self.taken = taken
        bare = {c for f in growth.factors for c in f.cells if isinstance(c, str)}
        self.solved = {name for name in self.keys if name in bare}
        self.paths: list[Path] = []
        self.constraints: list[Constraint] = []
        self.defined: list[Defined] = []
        self.names = [(key, name) for name, key in self.keys.items() if name in self.solved]
        self.losses: list[Loss] = []
        self.phantoms: list[Phantom] = []
        holding = [f for f in growth.factors if set(f.parameters) - bare]
        curved = {name for f in holding for name in f.parameters} - bare
        self.alone = len(curved) == len(holding) == 1

    def change(self, rows: ChangeRows) -> None:
        """The rows of proportional change, whose coefficient is a parameter of the SEM."""
        self.paths += rows.paths
        self.taken |= set(rows.latent)
        self.solved.add(rows.parameter)
        self.names.append((self.keys[rows.parameter], rows.parameter))

    def factor(self, factor: GrowthFactor) -> None:
        """The rows of one factor."""
        if not factor.cells:
            through = state_loadings(factor, self.growth)
            self.paths += through or fixed_loadings(factor, self.growth)
            return
        labels = self.labels(factor)
        for cell, loading, y, label in zip(
            factor.cells, map(_short, factor.loadings), self.outcomes, labels, strict=True
        ):
            if isinstance(cell, float):
                self.paths.append(Path(factor.name, "=~", y, free=False, value=cell))
            elif cell in factor.parameters:
                self.paths.append(Path(factor.name, "=~", y, label=cell, start=loading))
            else:
                self.paths.append(Path(factor.name, "=~", y, label=label, start=loading))
                self.tie(factor, cell, label)

    def labels(self, factor: GrowthFactor) -> tuple[str, ...]:
        """A label for each loading of a curve, that nothing else bears."""
        stem = factor.name
        made = wide_columns(stem, self.growth.schema.occasions)
        while self.taken & set(made):
            stem += "_"
            made = wide_columns(stem, self.growth.schema.occasions)
        self.taken |= set(made)
        return made

    def tie(self, factor: GrowthFactor, cell: str, label: str) -> None:
        """Define a parameter from a loading, or constrain the loading."""
        node = parse(cell)
        unsolved = [n for n in factor.parameters if n not in self.solved and _count(node, n)]
        said = sem_text(node)
        if not unsolved and said is not None:
            self.constraints.append(Constraint(label, "==", said))
            return
        if said is None:
            self.losses.append(
                Loss(
                    f"the loading {cell} of {factor.name}",
                    "constraints are arithmetic, with exp, log, sqrt, sin and cos alone",
                    "nlme, or the curve in these functions",
                )
            )
            return
        solution = inverted(node, unsolved[0], label) if self.alone else None
        if solution is not None:
            self.defined.append(Defined(unsolved[0], solution))
        else:
            self.constraints.append(Constraint(label, "==", said))
            for name in unsolved:
                start = factor.starts[factor.parameters.index(name)]
                self.phantoms.append(Phantom(name, _short(start)))
                self.names.append((self.keys[name], name))
        self.solved |= set(unsolved)


def _short(value: float) -> float:
    """A starting value, which needs few digits."""
    return float(f"{value:.6g}") if abs(value) > 1e-12 else 0.0


def inverted(node: Node, name: str, value: str) -> str | None:
    """The parameter `name` from the value of an expression in which it stands once.

    Examples
    --------
    >>> inverted(parse("1 - exp(-(g*2))"), "g", "l")
    '-(log(1 - l)/2)'
    """
    found: Node = parse(value)
    while not (isinstance(node, Name) and node.name == name):
        if _count(node, name) != 1:
            return None
        step = _step(node, name, found)
        if step is None:
            return None
        node, found = step
    return sem_text(found)


def _step(node: Node, name: str, value: Node) -> tuple[Node, Node] | None:
    """The operand that holds the parameter, and what it must be."""
    if isinstance(node, Negative):
        return node.operand, _minus(value)
    if isinstance(node, Call) and len(node.args) == 1 and node.function in _INVERSES:
        return node.args[0], _INVERSES[node.function](value)
    if not isinstance(node, Operation) or node.left is None:
        return None
    left, right, own = node.left, node.right, _count(node.left, name) > 0
    if node.operator == "+":
        return (left, Operation("-", value, right)) if own else (right, Operation("-", value, left))
    if node.operator == "-":
        return (left, Operation("+", value, right)) if own else (right, Operation("-", left, value))
    if node.operator == "*":
        return (left, _over(value, right)) if own else (right, _over(value, left))
    if node.operator == "/":
        return (left, Operation("*", value, right)) if own else (right, _over(left, value))
    if node.operator == "**":
        if own:
            return left, Operation("**", value, Operation("/", Number(1.0), right))
        return right, _over(Call("log", (value,)), Call("log", (left,)))
    return None


def _minus(node: Node) -> Node:
    return node.operand if isinstance(node, Negative) else Negative(node)


def _over(value: Node, divisor: Node) -> Node:
    if isinstance(divisor, Negative):
        return _minus(_over(value, divisor.operand))
    if isinstance(value, Negative):
        return Negative(_over(value.operand, divisor))
    return Operation("/", value, divisor)


_INVERSES: dict[str, Callable[[Node], Node]] = {
    "I": lambda value: value,
    "exp": lambda value: Call("log", (value,)),
    "log": lambda value: Call("exp", (value,)),
    "sqrt": lambda value: Operation("**", value, Number(2.0)),
    "expm1": lambda value: Call("log", (Operation("+", Number(1.0), value),)),
    "log1p": lambda value: Operation("-", Call("exp", (value,)), Number(1.0)),
}


def _count(node: Node, name: str) -> int:
    """How often a name stands in an expression."""
    if isinstance(node, Name):
        return int(node.name == name)
    if isinstance(node, Negative):
        return _count(node.operand, name)
    if isinstance(node, Operation):
        return _count(node.right, name) + (0 if node.left is None else _count(node.left, name))
    if isinstance(node, Call):
        return sum(_count(argument, name) for argument in node.args)
    return 0
