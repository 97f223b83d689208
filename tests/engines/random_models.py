"""Random growth models, each written twice from scratch: as a long and as a wide problem."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from growthmm.engines.long import LongProblem, RandomEffects
from growthmm.engines.long import parameter_names as long_names
from growthmm.engines.wide import WideGroup, WideProblem
from growthmm.engines.wide import parameter_names as wide_names
from growthmm.model.residual import ResidualStructure
from growthmm.model.sem import Constraint, Path, SemModel

COVARIANCES = ("unstructured", "diagonal", "cs", "equal", "fixed")
RESIDUALS = ("common", "by_occasion", "fixed", "ar1", "cs", "toeplitz", "unstructured")


@dataclass
class Pair:
    """One model in both families.

    Parameters
    ----------
    long, wide : LongProblem, WideProblem
    rules : dict
        For each wide parameter the function of the long parameters (a dict by name) that it is.
    truth : dict
        Long parameters that the outcomes were drawn from.
    kind : str
        For messages.
    """

    long: LongProblem
    wide: WideProblem
    rules: dict = field(repr=False)
    truth: dict = field(repr=False)
    kind: str = ""

    def vector(self, values: dict) -> np.ndarray:
        """Long parameters in the engine's order."""
        return np.array([values[name] for name in long_names(self.long)])

    def to_wide(self, values: np.ndarray) -> np.ndarray:
        """The wide parameters that long ones say."""
        known = dict(zip(long_names(self.long), values, strict=True))
        return np.array([self.rules[name](known) for name in wide_names(self.wide)])


@dataclass
class _Sketch:
    """What both problems are written from."""

    rng: np.random.Generator
    n: int
    times: np.ndarray
    loadings: np.ndarray  # (n, m, q)
    varying: list
    random: list
    covariance: str
    residual: str
    x: np.ndarray
    x_on: list
    w: np.ndarray | None
    missing: float

    @property
    def factors(self) -> list[str]:
        return [f"f{k}" for k in range(self.loadings.shape[2])]


def random_pair(seed: int) -> Pair:
    """The model number `seed`."""
    sketch = _sketch(np.random.default_rng([20_240, seed]))
    group = "id"
    fixed_names, columns, rules, truth = _means(sketch)
    block, paths, more, given = _factor_covariance(sketch, group)
    rules |= more
    truth |= given
    own, constraints, more, given, held = _residuals(sketch)
    rules |= more
    truth |= given
    outcomes, seen = _simulate(sketch, (fixed_names, columns), truth, block, held)
    long = _long(sketch, (outcomes, seen), (fixed_names, columns), block, held)
    wide = _wide(sketch, outcomes, seen, [*paths, *own], constraints)
    kind = (
        f"{len(sketch.times)} occasions, {len(sketch.random)} random of {len(sketch.factors)} "
        f"factors ({len(sketch.varying)} person by person), G {sketch.covariance}, "
        f"R {sketch.residual}, {sketch.missing:.0%} missing"
    )
    return Pair(long, wide, rules, truth, kind)


def _sketch(rng: np.random.Generator) -> _Sketch:
    residual = str(rng.choice(RESIDUALS, p=[0.28, 0.2, 0.08, 0.14, 0.1, 0.1, 0.1]))
    q = int(rng.choice([1, 2, 3, 4, 5, 6], p=[0.2, 0.38, 0.2, 0.1, 0.06, 0.06]))
    if residual in ("ar1", "cs", "toeplitz"):
        q = min(q, 2)
    if residual == "unstructured":
        q = 1
    n = int(rng.integers(60, 110)) + 15 * max(q - 3, 0)
    m = int(rng.integers(max(4, q + 2), max(7, q + 3)))
    if residual in ("ar1", "cs", "toeplitz"):
        m = max(m, 5)
    times = np.sort(rng.choice(np.arange(0, 2 * m), m, replace=False)).astype(float)
    if residual in ("ar1", "toeplitz"):
        times = np.arange(m, dtype=float)
    scaled = 2.0 * (times - times[0]) / (times[-1] - times[0]) - 1.0
    vary = residual in ("common", "by_occasion", "fixed") and rng.uniform() < 0.3
    t = np.tile(scaled, (n, 1))
    if vary:
        t = t + rng.uniform(-0.12, 0.12, t.shape)
    if rng.uniform() < 0.6:
        design = np.stack([t**k for k in range(q)], axis=2)
        varying = list(range(1, q)) if vary else []
    else:
        shared = np.column_stack([np.ones(m), rng.standard_normal((m, q - 1))])
        design, varying = np.tile(shared, (n, 1, 1)), []
    if q > 1 and rng.uniform() < 0.2:
        # The random slope of a covariate that varies with time.
        design[:, :, q - 1] = rng.standard_normal((n, m))
        varying = sorted({*varying, q - 1})
    random = list(range(q))
    if q > 1 and rng.uniform() < 0.25:
        random = random[:-1]
    covariance = str(rng.choice(COVARIANCES, p=[0.45, 0.2, 0.12, 0.12, 0.11]))
    if len(random) == 1 and covariance not in ("unstructured", "diagonal"):
        covariance = "unstructured"
    if residual == "unstructured":
        random, covariance = [], "unstructured"
    if residual in ("cs", "toeplitz"):
        # Their constant part is a random intercept's variance.
        random = [k for k in random if k > 0]
        covariance = "diagonal"
    return _Sketch(
        rng, n, times, design, varying, random, covariance, residual,
        rng.standard_normal(n) + float(rng.normal()),
        [k for k in range(q) if rng.uniform() < 0.4],
        rng.standard_normal((n, m)) if rng.uniform() < 0.3 else None,
        float(rng.choice([0.0, 0.1, 0.25])),
    )  # fmt: skip


def _means(s: _Sketch):
    names, columns, rules, truth = [], [], {}, {}

    def add(name: str, column: np.ndarray, wide: str) -> None:
        names.append(name)
        columns.append(column)
        truth[name] = float(s.rng.normal())
        rules[wide] = lambda v, name=name: v[name]

    for k, f in enumerate(s.factors):
        add(f"mean {f}", s.loadings[:, :, k], f"{f}~1")
    for k in s.x_on:
        add(f"x {s.factors[k]}", s.loadings[:, :, k] * s.x[:, None], f"{s.factors[k]}~x")
    if s.w is not None:
        add("w", s.w, "bw")
    return names, columns, rules, truth


def _factor_covariance(s: _Sketch, group: str):
    names = [s.factors[k] for k in s.random]
    q = len(names)
    if not q:
        return None, [], {}, {}
    columns = tuple(range(q))
    root = np.eye(q) + 0.35 * np.tril(s.rng.standard_normal((q, q)), -1)
    scale = s.rng.uniform(0.8, 1.4, q)
    g = (root * scale) @ (root * scale).T
    pattern = None
    if s.covariance == "cs":
        g = 0.9 * np.eye(q) + 0.3
        made = RandomEffects.compound_symmetry(tuple(names), columns, group)
        pattern = made.pattern
    elif s.covariance == "equal":
        # The first two variances are equal, their covariance is 0.25, all others are free.
        g = 1.5 * np.eye(q) + 0.25
        own = [[f"g{min(a, b)}{max(a, b)}" for b in columns] for a in columns]
        own[1][1] = own[0][0]
        own[0][1] = own[1][0] = 0.25
        pattern = tuple(map(tuple, own))
    elif s.covariance == "fixed":
        g = np.eye(q) + 0.2
        own = [[f"g{min(a, b)}{max(a, b)}" for b in columns] for a in columns]
        own[0][0] = 1.2
        pattern = tuple(map(tuple, own))
    elif s.covariance == "diagonal":
        g = np.diag(np.diag(g))
    block = RandomEffects(tuple(names), columns, s.covariance == "diagonal", pattern)
    paths, rules, truth = [], {}, {}
    for a in range(q):
        for b in range(a, q):
            if s.covariance == "diagonal" and a != b:
                continue
            left, right = names[a], names[b]
            own = f"var({left}|id)" if a == b else f"cov({left},{right}|id)"
            cell = own if pattern is None else pattern[a][b]
            if not isinstance(cell, str):
                paths.append(Path(left, "~~", right, free=False, value=cell))
                continue
            label = None if pattern is None else f"p{list(truth).index(cell)}" if (
                cell in truth
            ) else f"p{len(truth)}"  # fmt: skip
            truth[cell] = float(g[a, b])
            paths.append(Path(left, "~~", right, label=label))
            rules[label or f"{left}~~{right}"] = lambda v, cell=cell: v[cell]
    return block, paths, rules, truth


def _residuals(s: _Sketch):
    m, rng = len(s.times), s.rng
    y = [f"y{j}" for j in range(m)]
    rules, truth, held, constraints = {}, {}, {}, []
    one, shown = "var(Residual)", [f"{t:g}" for t in s.times]
    pairs = [(j, k) for j in range(m) for k in range(j, m)]
    if s.residual in ("common", "ar1", "cs"):
        truth[one] = float(rng.uniform(0.5, 1.2))
        rules["r"] = lambda v: v[one]
    if s.residual == "common":
        return [Path(a, "~~", a, label="r") for a in y], constraints, rules, truth, held
    if s.residual in ("by_occasion", "fixed"):
        paths = []
        for a, t in zip(y, shown, strict=True):
            name = f"var(Residual[{t}])"
            value = float(rng.uniform(0.5, 1.2))
            if s.residual == "fixed" and a in y[:2]:
                # The first is measured without error (zero only where G keeps V regular).
                held[name] = 0.0 if a == y[0] and s.random else value
                paths.append(Path(a, "~~", a, free=False, value=held[name]))
                continue
            truth[name] = value
            rules[f"{a}~~{a}"] = lambda v, name=name: v[name]
            paths.append(Path(a, "~~", a))
        return paths, constraints, rules, truth, held
    if s.residual == "cs":
        truth["rho(Residual)"] = float(rng.uniform(0.1, 0.4))
        rules["c"] = lambda v: v[one] * v["rho(Residual)"]
        paths = [Path(y[j], "~~", y[k], label="r" if j == k else "c") for j, k in pairs]
    elif s.residual == "ar1":
        truth["rho(Residual)"] = float(rng.uniform(0.2, 0.6))
        paths = [Path(y[j], "~~", y[k], label=f"c{k - j}" if k > j else "r") for j, k in pairs]
        for lag in range(1, m):
            rules[f"c{lag}"] = lambda v, lag=lag: v[one] * v["rho(Residual)"] ** lag
            if lag > 1:
                constraints.append(Constraint(f"c{lag}", "==", f"c1^{lag}/r^{lag - 1}"))
    elif s.residual == "toeplitz":
        own = long_residual_names(s)
        for lag, name in enumerate(own):
            truth[name] = 1.0 if lag == 0 else 0.4 / lag**2
            rules[f"c{lag}"] = lambda v, name=name: v[name]
        paths = [Path(y[j], "~~", y[k], label=f"c{k - j}") for j, k in pairs]
    else:
        root = np.eye(m) + 0.3 * np.tril(rng.standard_normal((m, m)), -1)
        paths = [Path(y[j], "~~", y[k]) for j, k in pairs]
        for (j, k), name in zip(pairs, long_residual_names(s), strict=True):
            truth[name] = float((root @ root.T)[j, k])
            rules[f"{y[j]}~~{y[k]}"] = lambda v, name=name: v[name]
    return paths, constraints, rules, truth, held


def long_residual_names(s: _Sketch) -> tuple[str, ...]:
    """What the long engine calls the residual parameters."""
    one = np.ones((len(s.times), 1))
    bare = LongProblem(
        s.times, one, ("one",), one[:, :0], (), np.zeros(len(one), int), 1, "id",
        np.arange(len(one)), tuple(s.times), ResidualStructure.parse(s.residual),
    )  # fmt: skip
    return long_names(bare)[1:]


def _simulate(s: _Sketch, means, truth, block, held):
    n, m, q = s.n, len(s.times), len(s.random)
    mean = sum(truth[name] * column for name, column in zip(*means, strict=True))
    g = np.zeros((q, q))
    for a in range(q):
        for b in range(a, q):
            f = block.names
            own = f"var({f[a]}|id)" if a == b else f"cov({f[a]},{f[b]}|id)"
            cell = own if block.pattern is None else block.pattern[a][b]
            g[a, b] = g[b, a] = truth.get(cell, 0.0) if isinstance(cell, str) else cell
    r = np.zeros((m, m))
    for j in range(m):
        for k in range(m):
            lag, low, high = abs(j - k), min(j, k), max(j, k)
            if s.residual in ("by_occasion", "fixed"):
                name = f"var(Residual[{s.times[j]:g}])"
                r[j, k] = (lag == 0) * held.get(name, truth.get(name, 0.0))
            elif s.residual == "toeplitz":
                r[j, k] = truth[long_residual_names(s)[lag]]
            elif s.residual == "unstructured":
                pairs = [(a, b) for a in range(m) for b in range(a, m)]
                r[j, k] = truth[long_residual_names(s)[pairs.index((low, high))]]
            else:
                rho = {"ar1": lambda d: truth["rho(Residual)"] ** d,
                       "cs": lambda d: truth["rho(Residual)"] if d else 1.0,
                       "common": lambda d: float(d == 0)}[s.residual](lag)  # fmt: skip
                r[j, k] = truth["var(Residual)"] * rho
    z = s.loadings[:, :, s.random]
    cov = z @ g @ z.transpose(0, 2, 1) + r
    draws = np.linalg.cholesky(cov) @ s.rng.standard_normal((n, m, 1))
    seen = s.rng.uniform(size=(n, m)) >= s.missing
    seen[np.arange(n), s.rng.integers(0, m, n)] = True
    return mean + draws[:, :, 0], seen


def _long(s: _Sketch, drawn, means, block, held) -> LongProblem:
    (outcomes, seen), (names, columns) = drawn, means
    person, occasion = np.nonzero(seen)
    order = s.rng.permutation(len(person))
    person, occasion = person[order], occasion[order]
    at = (person, occasion)
    kind = "by_occasion" if s.residual == "fixed" else s.residual
    return LongProblem(
        outcomes[at],
        np.column_stack([column[at] for column in columns]),
        tuple(names),
        s.loadings[:, :, s.random][at],
        () if block is None else (block,),
        person,
        s.n,
        "id",
        occasion,
        tuple(s.times),
        ResidualStructure.parse(kind),
        fixed_parameters=tuple(held.items()),
    )


def _wide(s: _Sketch, outcomes, seen, covariances, constraints) -> WideProblem:
    m = len(s.times)
    y = [f"y{j}" for j in range(m)]
    paths, definitions = [], []
    for k, f in enumerate(s.factors):
        for j in range(m):
            if k in s.varying:
                name = f"d{k}_{j}"
                paths.append(Path(f, "=~", y[j], free=False, definition=name))
                definitions.append((name, s.loadings[:, j, k].copy()))
            else:
                paths.append(Path(f, "=~", y[j], free=False, value=float(s.loadings[0, j, k])))
        paths.append(Path(f, "~1"))
    paths += [Path(s.factors[k], "~", "x") for k in s.x_on]
    covariates, values = (["x"], [s.x]) if s.x_on else ([], [])
    if s.w is not None:
        paths += [Path(y[j], "~", f"w{j}", label="bw") for j in range(m)]
        covariates += [f"w{j}" for j in range(m)]
        values += list(s.w.T)
    model = SemModel(
        (*paths, *covariances), tuple(s.factors), tuple(y), tuple(covariates),
        constraints=tuple(constraints),
    )  # fmt: skip
    data = WideGroup(
        np.where(seen, outcomes, np.nan),
        np.column_stack(values) if values else np.zeros((s.n, 0)),
        tuple(definitions),
    )
    return WideProblem(model, (data,))
