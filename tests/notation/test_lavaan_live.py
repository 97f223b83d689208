"""Our complete parameter tables against lavaan's own, row by row."""

from __future__ import annotations

import subprocess
from collections import defaultdict
from functools import cache

import pytest

from growthmm.model.sem import SemModel
from growthmm.notation.lavaan.call import is_call, read_call
from growthmm.notation.lavaan.read import read
from growthmm.notation.lavaan.write import write_model as write
from growthmm.notation.sem.text import r_string

LINEAR = "i =~ 1*y0 + 1*y1 + 1*y2\ns =~ 0*y0 + 1*y1 + 2*y2"

CASES: dict[str, tuple[str, str, str]] = {
    "linear": ("growth", LINEAR, ""),
    "linear as cfa": ("cfa", LINEAR, ""),
    "linear as lavaan": ("lavaan", LINEAR, ""),
    "common residual": ("growth", LINEAR + "\ny0 ~~ r*y0; y1 ~~ r*y1; y2 ~~ r*y2", ""),
    "predictor": ("growth", LINEAR + "\ni + s ~ x + z", ""),
    "time-varying": ("growth", LINEAR + "\ny0 ~ b*x\ny1 ~ b*z\ni ~ w", ""),
    "random x": ("growth", LINEAR + "\ni ~ x\ns ~ z", "fixed.x = FALSE"),
    "x with a mean": ("growth", LINEAR + "\ni ~ x + z\nx ~ 1", ""),
    "x with a covariance": ("growth", LINEAR + "\ni ~ x + z + w\nx ~~ z", ""),
    "x with a variance": ("sem", LINEAR + "\ni ~ x + z\nx ~~ x", ""),
    "marker": ("growth", "f =~ y0 + y1 + y2", ""),
    "marker with label": ("growth", "f =~ a*y0 + y1 + a*y2", ""),
    "marker with start": ("growth", "f =~ start(.9)*y0 + y1 + y2", ""),
    "marker freed": ("cfa", "f =~ NA*y0 + a*y0 + y1 + y2\nf ~~ 1*f", ""),
    "single indicator": ("growth", "f =~ y0\ng =~ y1 + y2 + y3", ""),
    "expressions": ("growth", "f =~ y0 + sqrt(2)*y1 + (1/2)*y2 + -1e-1*y3 + 2*3*y4", ""),
    "equal()": ("growth", 'f =~ y0 + equal("f=~y2")*y1 + y2 + y3', ""),
    "label()": ("cfa", 'f =~ y0 + label("k")*y1 + start(.3)*y2 + k*y3 + upper(3)*y3', ""),
    "constraints": (
        "cfa",
        "f =~ y0 + a*y1 + b*y2 # loadings\na == 2*b^2; b > 0.1 ! bound\n\nq := (a + b)/2",
        "",
    ),
    "continued": ("growth", "f =~ y0 +\n 1*y1\n + a*y2\nf ~ \n x", ""),
    "intercepts": ("growth", "f =~ y0 + y1 + y2\ny0 ~ 1\ny1 ~ a*1\ny2 ~ (1/2)*1\nf ~ 0*1", ""),
    "endogenous covary": ("sem", "f =~ y0 + y1 + y2\ng =~ y3 + y4\ny5 ~ f + x\nw ~ g", ""),
    "second order": ("growth", "f =~ y0 + y1\ng =~ y2 + y3\nh =~ f + g\nh ~ x", ""),
    "mediator": ("growth", LINEAR + "\nw ~ b*s + x\ns ~ a*x\nw ~ 1\nind := a*b", ""),
    "reversed covariance": ("growth", "f =~ y0 + y1 + y2\ny2 ~~ y0\ny1 ~~ f\nx ~~ y0", ""),
    "std.lv": ("cfa", "f =~ y0 + y1 + y2\ng =~ y3 + y4", "std.lv = TRUE"),
    "orthogonal": ("cfa", "f =~ y0 + y1\ng =~ y2 + y3\nf ~ x", "orthogonal = TRUE"),
    "orthogonal.y": ("sem", "f =~ y0 + y1\ng =~ y2 + y3\nf + g ~ x", "orthogonal.y = TRUE"),
    "bounds": ("growth", LINEAR + "\ns ~~ lower(0)*s + upper(5)*s + start(1)*s", ""),
    "lavaan() with options": (
        "lavaan",
        "f =~ y0 + y1 + y2\nf ~ x",
        "auto.var = TRUE, auto.fix.first = TRUE, int.ov.free = TRUE",
    ),
    "path model": ("sem", "y0 ~ y1 + x\ny1 ~ x", ""),
    "crossed loadings": ("growth", "f =~ y0 + y1\ng =~ y1 + y2 + 0.5?y3\nh =~ y4", ""),
    "two groups": (
        "growth",
        "f =~ c(1, NA)*y0 + c('a', 'b')*y1 + c(r, r)*y2 + start(1, 2)*y3\nf ~ c(0, NA)*1",
        'group = "sex"',
    ),
    "equal groups": (
        "cfa",
        "f =~ y0 + y1 + y2 + c(NA, NA)*y3",
        'group = "sex", group.equal = c("loadings", "intercepts", "residuals"), '
        'group.partial = "y1~1"',
    ),
    "equal growth": (
        "growth",
        "i =~ c(1, 1)*y0 + 1*y1 + 1*y2\ns =~ 0*y0 + 1*y1 + 2*y2\ni ~ x",
        'group = "sex", group.equal = c("means", "lv.variances", "lv.covariances", "regressions")',
    ),
}

R_CODE = """
suppressMessages(library(lavaan))
set.seed(1)
names <- c(paste0("y", 0:5), "x", "z", "w")
d <- as.data.frame(matrix(rnorm(900), 100, 9, dimnames = list(NULL, names)))
d$sex <- rep(c("f", "m"), 50)
show <- function(case, fun, model, ...) {
  fit <- suppressWarnings(fun(model, d, do.fit = FALSE, meanstructure = TRUE,
    h1 = FALSE, baseline = FALSE, test = "none", se = "none", implied = FALSE, loglik = FALSE, ...))
  t <- as.data.frame(parTable(fit))
  for (k in c("lower", "upper")) if (is.null(t[[k]])) t[[k]] <- NA
  t$lower[!is.finite(t$lower)] <- NA
  t$upper[!is.finite(t$upper)] <- NA
  for (i in seq_len(nrow(t))) {
    cat("ROW", case, t$lhs[i], t$op[i], t$rhs[i], t$user[i], t$group[i], t$free[i],
      format(t$ustart[i], digits = 15), t$exo[i], t$label[i], t$plabel[i],
      format(t$lower[i], digits = 15), format(t$upper[i], digits = 15), sep = "\\t")
    cat("\\n")
  }
}
"""


def _function_call(case: str) -> str:
    function, text, arguments = CASES[case]
    extra = f", {arguments}" if arguments else ""
    return f"show({r_string(case)}, {function}, {r_string(text)}{extra})"


def _written_call(case: str) -> str:
    """The same model from the text that we write, under `written CASE`."""
    function, _, arguments = CASES[case]
    text = write(_read(case)).text
    formulas = read_call(text).model.strip() if is_call(text) else text
    kept = [each for each in ('group = "sex"', "fixed.x = FALSE") if each in arguments]
    extra = "".join(f", {each}" for each in kept)
    return f"show({r_string('written ' + case)}, {function}, {r_string(formulas)}{extra})"


@cache
def _lavaan() -> dict[str, list[list[str]]]:
    calls = [_function_call(case) for case in CASES] + [_written_call(case) for case in CASES]
    code = R_CODE + "\n".join(calls)
    answer = subprocess.run(
        ["Rscript", "--vanilla", "-"],
        input=code,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    rows = defaultdict(list)
    for line in answer.stdout.splitlines():
        if line.startswith("ROW\t"):
            _, case, *cells = line.split("\t")
            rows[case].append(cells)
    return rows


def _number(text: str) -> float | None:
    return None if text == "NA" else float(text)


def _theirs(rows: list[list[str]]) -> tuple[object, ...]:
    """Table, classes of equal parameters, and constraints, as lavaan has them."""
    table, where, merged, relations = {}, {}, [], set()
    for left, op, right, user, group, free, value, exo, label, plabel, low, high in rows:
        if op in ("==", "<", ">", ":="):
            if user == "2":
                merged.append((left, right))
            else:
                relations.add((left, op, right.replace(" ", "")))
            continue
        if exo == "1":
            continue
        name = (left, op, right, int(group) - 1)
        where[plabel] = name
        is_free = free != "0"
        shown = label if label and not label.startswith(".p") else None
        bounds = (_number(low), _number(high)) if is_free else None
        table[name] = (is_free, None if is_free else _number(value), shown, bounds)
    joined = {name: {name} for name in where.values()}
    for a, b in merged:
        union = joined[where[a]] | joined[where[b]]
        for name in union:
            joined[name] = union
    classes = {frozenset(group) for group in joined.values() if len(group) > 1}
    return table, classes, relations


def _ours(model: SemModel) -> tuple[object, ...]:
    table, classes = {}, defaultdict(set)
    names = {path.name for path in model.paths}
    for path in model.paths:
        name = (path.left, path.op, path.right, path.group)
        shown = path.label if path.label not in names or path.rule == "written" else None
        table[name] = (
            path.free,
            path.value,
            shown,
            (path.lower, path.upper) if path.free else None,
        )
        if path.free:
            classes[path.parameter].add(name)
    relations = {(c.left, c.op, c.right) for c in model.constraints}
    relations |= {(d.name, ":=", d.expression) for d in model.defined}
    relations = {
        tuple(part.replace(" ", "").replace("**", "^") for part in each) for each in relations
    }
    return table, {frozenset(c) for c in classes.values() if len(c) > 1}, relations


def _read(case: str) -> SemModel:
    function, text, arguments = CASES[case]
    return read(f"{function}({r_string(text)}, data = d{', ' * bool(arguments)}{arguments})")


@pytest.mark.r("lavaan")
@pytest.mark.parametrize("case", CASES)
def test_table_equals_lavaans(case: str) -> None:
    table, classes, relations = _theirs(_lavaan()[case])
    our_table, our_classes, our_relations = _ours(_read(case))
    generated = {name: cell for name, cell in our_table.items() if name not in table}
    assert generated == {}
    for name, (free, value, label, bounds) in table.items():
        our_free, our_value, our_label, our_bounds = our_table[name]
        assert our_free == free, name
        assert our_value == (None if value is None else pytest.approx(value, rel=1e-14)), name
        assert our_bounds == bounds, name
        if label is not None:
            assert our_label == label, name
    assert our_classes == classes
    assert our_relations == relations


@pytest.mark.r("lavaan")
@pytest.mark.parametrize("case", CASES)
def test_written_text_is_the_same_model_to_lavaan(case: str) -> None:
    first, classes, relations = _theirs(_lavaan()[case])
    second, second_classes, second_relations = _theirs(_lavaan()[f"written {case}"])

    def said(table: dict[object, tuple[object, ...]]) -> dict[object, tuple[object, ...]]:
        return {
            name: (free, value, bounds)
            for name, (free, value, _, bounds) in table.items()
            if free or value
        }

    assert said(second) == said(first)
    assert second_classes == classes
    assert second_relations == relations


def test_there_are_enough_cases() -> None:
    assert len(CASES) >= 25
