"""The symbolic structural equation model: a table of paths, before any data."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Literal

from growthmm.errors import SpecificationError
from growthmm.model.defaults import Default
from growthmm.model.mixed import Estimator
from growthmm.rendering import Brief, Shown

if TYPE_CHECKING:
    import networkx

__all__ = ["Constraint", "Defined", "Operator", "Path", "SemModel"]

Operator = Literal["=~", "~", "~~", "~1"]


@dataclass(frozen=True, slots=True, repr=False)
class Path(Brief):
    """One row of the model: a loading, regression, (co)variance or mean.

    Parameters
    ----------
    left, op, right : str
        As lavaan writes them. ``f =~ y``: `y` loads on `f`. ``y ~ x``: `y` regressed on `x`.
        ``a ~~ b``: covariance, or variance where both are the same. ``a ~1``: mean or
        intercept, `right` empty.
    free : bool
        Whether the value is estimated.
    value : float, optional
        The fixed value where `free` is False.
    label : str, optional
        Paths that share a label share one parameter.
    start : float, optional
        Starting value. Takes no part in comparison.
    definition : str, optional
        A data column whose value, person by person, is the (fixed) coefficient.
    lower, upper : float, optional
        Bounds on the estimate.
    group : int
        Which group the path belongs to, from 0.
    level : int
        1 among the persons of a cluster, or where there are no clusters; 2 among clusters.
    rule : str
        What put the row there: ``"written"``, or the program's rule such as
        ``"growth(): latent means are free"``. Takes no part in comparison.
    """

    left: str
    op: Operator
    right: str = ""
    free: bool = True
    value: float | None = None
    label: str | None = None
    start: float | None = field(default=None, compare=False)
    definition: str | None = None
    lower: float | None = None
    upper: float | None = None
    group: int = 0
    level: int = 1
    rule: str = field(default="written", compare=False)

    def __post_init__(self) -> None:
        if not self.free and self.value is None and self.definition is None:
            raise SpecificationError(
                f"The path {self.name} is fixed, but at no value.",
                hint="Give the value, or free the path.",
            )

    def __repr__(self) -> str:
        kept = f"data.{self.definition}" if self.definition else f"{self.value or 0.0:.6g}"
        what = "free" if self.free else f"fixed at {kept}"
        label = f", label {self.label}" if self.label else ""
        return f"<Path {self.name}: {what}{label}>"

    @property
    def name(self) -> str:
        """The row's name in lavaan, with ``.g2`` or ``.l2`` from the second group or level."""
        suffix = "" if self.group == 0 else f".g{self.group + 1}"
        suffix += "" if self.level == 1 else f".l{self.level}"
        return f"{self.left}{self.op}{self.right}{suffix}"

    @property
    def is_zero(self) -> bool:
        """Whether the row says no more than its absence would: fixed at 0, without a label."""
        return not self.free and not self.value and not self.label and not self.definition

    @property
    def identity(self) -> tuple[object, ...]:
        """What the row says, whichever way round a covariance is written."""
        left, right = self.left, self.right
        if self.op == "~~":
            left, right = sorted((left, right))
        bounds = (self.lower, self.upper) if self.free else (None, None)
        value = None if self.free else self.value
        where = (self.op, left, right, self.group, self.level)
        return (*where, self.free, value, self.label, self.definition, *bounds)

    @property
    def parameter(self) -> str:
        """The parameter that the row holds: its label, else its name."""
        return self.label or self.name


@dataclass(frozen=True, slots=True, repr=False)
class Constraint(Brief):
    """An equality or inequality among parameters.

    Parameters
    ----------
    left, right : str
        Arithmetic expressions over parameter names (labels).
    op : {"==", "<", ">"}
        The relation.
    """

    left: str
    op: Literal["==", "<", ">"]
    right: str

    def __repr__(self) -> str:
        return f"<Constraint {self.left} {self.op} {self.right}>"


@dataclass(frozen=True, slots=True, repr=False)
class Defined(Brief):
    """A parameter computed from others (lavaan's ``:=``).

    Parameters
    ----------
    name : str
        Its name.
    expression : str
        Arithmetic over labels and other defined parameters.
    """

    name: str
    expression: str

    def __repr__(self) -> str:
        return f"<Defined {self.name} := {self.expression}>"


@dataclass(frozen=True)
class SemModel(Shown):
    """A linear structural equation model, as its text and its program's defaults say it.

    The table is complete: what a program adds silently (variances, covariances, intercepts)
    stands here as rows whose `rule` names the default. A (co)variance, regression or mean that
    has no row is zero.

    Parameters
    ----------
    paths : tuple of Path
        All rows but those among exogenous covariates, in the order of the text, then defaults.
    latent : tuple of str
        Latent variables, in order of appearance.
    outcomes : tuple of str
        Observed variables that the model explains (indicators and regressed variables), and
        observed variables whose moments the model holds as parameters, in order of appearance.
    covariates : tuple of str
        Exogenous observed variables on which the likelihood is conditional (``fixed.x``).
    constraints : tuple of Constraint
        Relations among parameters.
    defined : tuple of Defined
        Derived parameters.
    n_groups : int
        Number of groups that the text writes (1 where it writes none).
    group_variable : str, optional
        The column that splits persons into groups.
    group_labels : tuple of str
        The groups, in the order of ``Path.group``; empty until bound.
    cluster_variable : str, optional
        The column that says in which cluster a person is, where the text names it.
    function : {"growth", "sem", "cfa", "lavaan"}
        Whose defaults were filled in. Takes no part in comparison.
    fixed_x : bool
        Whether covariates are conditioned on. Where False they stand among `outcomes`.
    missing : {"listwise", "ml"}
        The source program's rule for missing outcomes (``explain`` follows it; engines always
        use every observed outcome).
    estimator : {"ml", "reml"}
        Maximum likelihood, or restricted.
    information : {"expected", "observed"}, optional
        The source's information matrix where it says one.
    likelihood : {"normal", "wishart"}
        Divisor N or N - 1.
    notation : str
        Where it was read from. Takes no part in comparison.
    defaults : tuple of Default
        Program defaults that are not rows (missing-data rule and so on). Not compared.
    """

    _html: ClassVar[str] = "model.html"

    paths: tuple[Path, ...]
    latent: tuple[str, ...]
    outcomes: tuple[str, ...]
    covariates: tuple[str, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    defined: tuple[Defined, ...] = ()
    n_groups: int = 1
    group_variable: str | None = None
    group_labels: tuple[str, ...] = ()
    cluster_variable: str | None = None
    function: Literal["growth", "sem", "cfa", "lavaan"] = "growth"
    fixed_x: bool = True
    missing: Literal["listwise", "ml"] = "listwise"
    estimator: Estimator = "ml"
    information: Literal["expected", "observed"] | None = None
    likelihood: Literal["normal", "wishart"] = "normal"
    notation: str = field(default="lavaan", compare=False)
    defaults: tuple[Default, ...] = field(default=(), compare=False)
    data: str | None = field(default=None, compare=False)

    def __repr__(self) -> str:
        n_free = len({path.parameter for path in self.paths if path.free})
        groups = f", {self.n_groups} groups" if self.n_groups > 1 else ""
        return (
            f"<SemModel of {', '.join(self.latent) or 'no latent variables'}: "
            f"{len(self.outcomes)} outcomes, {n_free} free parameters{groups}, {self.notation}>"
        )

    def __post_init__(self) -> None:
        known = set(self.latent) | set(self.outcomes) | set(self.covariates)
        seen: set[tuple[str, str, str, int, int]] = set()
        for path in self.paths:
            for name in (path.left, path.right):
                if name and name not in known:
                    raise SpecificationError(
                        f"The path {path.name} names {name!r}, which is no variable of the model.",
                        hint=f"Variables: {', '.join(sorted(known))}.",
                    )
            ends = sorted((path.left, path.right)) if path.op == "~~" else [path.left, path.right]
            key = (ends[0], path.op, ends[1], path.group, path.level)
            if key in seen:
                raise SpecificationError(
                    f"The path {path.name} is written twice.", hint="Keep one of the rows."
                )
            seen.add(key)
        self._check_levels()

    def _check_levels(self) -> None:
        if self.n_levels == 1:
            return
        if self.n_groups > 1:
            raise SpecificationError(
                "The model has groups and levels.", hint="Write one of the two."
            )
        both = [
            name
            for name in self.latent
            if len({p.level for p in self.paths if name in (p.left, p.right)}) > 1
        ]
        if both:
            raise SpecificationError(
                f"The latent variable {both[0]!r} stands at both levels.",
                hint="Give the factors of each level names of their own.",
            )

    @property
    def n_levels(self) -> int:
        """2 where persons stand in clusters that the model has paths for, else 1."""
        return max((path.level for path in self.paths), default=1)

    @cached_property
    def table(self) -> tuple[object, ...]:
        """The model itself, whatever order it is written in: rows that are not zero, variables.

        Two models with the same table have the same parameters and the same moments. Where the
        defaults came from and how the model is to be estimated is no part of it.
        """
        return (
            frozenset(path.identity for path in self.paths if not path.is_zero),
            frozenset(self.latent),
            frozenset(self.outcomes),
            frozenset(self.covariates),
            frozenset(self.constraints),
            frozenset(self.defined),
            self.n_groups,
        )

    @cached_property
    def _identity(self) -> tuple[object, ...]:
        settings = (self.fixed_x, self.missing, self.estimator, self.information, self.likelihood)
        clustered = (self.group_variable, self.group_labels, self.cluster_variable)
        return (self.table, *clustered, *settings)

    def __eq__(self, other: object) -> bool:
        """Whether both have the same table and the same settings.

        The order of rows, rows that are zero, and the function whose defaults were filled in
        don't count: the table is complete.
        """
        return isinstance(other, SemModel) and self._identity == other._identity

    def __hash__(self) -> int:
        return hash(self._identity)

    @cached_property
    def free_parameters(self) -> tuple[str, ...]:
        """Distinct free parameters (labels collapse), in the order of the rows."""
        return tuple(dict.fromkeys(path.parameter for path in self.paths if path.free))

    def path(
        self, left: str, op: Operator, right: str = "", group: int = 0, level: int = 1
    ) -> Path | None:
        """The row for ``left op right``, in either order for ``~~``, or None."""
        for path in self.paths:
            if (path.op, path.group, path.level) != (op, group, level):
                continue
            if (path.left, path.right) == (left, right):
                return path
            if op == "~~" and (path.left, path.right) == (right, left):
                return path
        return None

    def graph(self) -> networkx.MultiDiGraph[str]:
        """The path diagram.

        Returns
        -------
        networkx.MultiDiGraph
            Nodes with ``kind`` ``"latent"``, ``"observed"`` or ``"constant"`` (the node
            ``"1"``, source of means). Edges run from cause to effect with the attributes
            ``kind`` (``"loading"``, ``"regression"``, ``"mean"``, ``"variance"``,
            ``"covariance"``), ``name``, ``free``, ``value``, ``label``, ``group`` and ``level``; a
            covariance is one edge, from `left` to `right`.
        """
        import networkx

        graph: networkx.MultiDiGraph[str] = networkx.MultiDiGraph()
        for name in self.latent:
            graph.add_node(name, kind="latent")
        for name in (*self.outcomes, *self.covariates):
            graph.add_node(name, kind="observed")
        for path in self.paths:
            if path.op == "=~":
                source, target, kind = path.left, path.right, "loading"
            elif path.op == "~":
                source, target, kind = path.right, path.left, "regression"
            elif path.op == "~1":
                graph.add_node("1", kind="constant")
                source, target, kind = "1", path.left, "mean"
            else:
                source, target = path.left, path.right
                kind = "variance" if source == target else "covariance"
            graph.add_edge(
                source,
                target,
                kind=kind,
                name=path.name,
                free=path.free,
                value=path.value,
                label=path.label,
                definition=path.definition,
                group=path.group,
                level=path.level,
            )
        return graph
