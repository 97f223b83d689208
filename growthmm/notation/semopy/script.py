"""A complete Python program: read the data, bring them into wide form, fit with semopy, print."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

from growthmm.errors import UnboundError
from growthmm.model.expression_print import python_string
from growthmm.model.sem import SemModel
from growthmm.notation.base import ScriptContext
from growthmm.notation.sem.text import number_text
from growthmm.notation.semopy.columns import column_code
from growthmm.notation.semopy.write import write_model

__all__ = ["script"]

_FIT = """
# Means by way of raw moments: a constant column of ones, and every mean a regression on it.
wide[{constant}] = 1.0
moments = wide.T @ wide / len(wide)
model = semopy.Model(description)
best = float("inf")
for _ in range(20):  # SLSQP forgets its approximation of the Hessian with each restart
    result = model.fit(
        wide, cov=moments, obj="MLW", solver="SLSQP", options={{"ftol": 1e-13, "maxiter": 10000}}
    )
    if best - result.fun <= 1e-13:
        break
    best = result.fun
print("persons", len(wide))
print("discrepancy", repr(float(result.fun)))
print("chi_square", repr(float(len(wide) * result.fun)))
print(model.inspect().to_string())
"""


def script(model: SemModel, context: ScriptContext) -> str:
    """A complete Python program.

    ``semopy.ModelMeans`` often stops far from the optimum, so the program fits the description's
    covariance structure to raw moments, with every mean a regression on a constant column. Its
    discrepancy is zero for a saturated model; persons with missing values are left out.

    Parameters
    ----------
    model : SemModel
        The model.
    context : ScriptContext
        Where the data are and what they look like.

    Returns
    -------
    str
        Python code that needs pandas and semopy.

    Raises
    ------
    UnboundError
        If the data are long and `context` has no schema.
    """
    variables = ", ".join(python_string(name) for name in (*model.outcomes, *model.covariates))
    derived = [
        (each.name, column_code(each.column, context.schema, "d")) for each in context.derived
    ]
    uses_formulas = any("formulaic." in code for _, code in derived)
    imports = [*(["import formulaic"] if uses_formulas else []), "import pandas as pd"]
    lines = ["import sys", "", *imports, "import semopy", ""]
    path = "sys.argv[1]" if context.data is None else python_string(context.data)
    lines.append(f"d = pd.read_csv({path})")
    lines += [f"d[{python_string(name)}] = {code}" for name, code in derived]
    lines += _wide(context)
    lines += [f"wide = wide[[{variables}]].dropna()", ""]
    taken = {*model.outcomes, *model.covariates, *model.latent}
    taken |= {path.label for path in model.paths if path.label}
    constant = next(name for name in _constants() if name not in taken)
    description = "\n".join(_on_constant(model, constant))
    fitting = _FIT.format(constant=python_string(constant))
    return "\n".join([*lines, f'description = """\n{description}\n"""', fitting])


def _constants() -> Iterator[str]:
    yield "one"
    for number in count(1):
        yield f"one{number}"


def _on_constant(model: SemModel, constant: str) -> list[str]:
    """The description with means as regressions on a column of ones; no mean by default."""
    lines = write_model(model).text.split("\n")
    written = set()
    for k, line in enumerate(lines):
        left, tilde, right = line.partition(" ~ ")
        if not tilde:
            continue
        terms = right.split(" + ")
        for j, term in enumerate(terms):
            if term == "1" or term.endswith("*1"):
                terms[j] = term[:-1] + constant
                written.add(left)
        lines[k] = f"{left} ~ {' + '.join(terms)}"
    silent = [name for name in model.outcomes if name not in written]
    return [*lines, *(f"{name} ~ {constant}" for name in silent)]


def _wide(context: ScriptContext) -> list[str]:
    if context.layout == "wide":
        return ["wide = d"]
    schema = context.schema
    if schema is None or not schema.occasions:
        raise UnboundError(
            "A script that brings long data into wide form needs to know them.",
            missing=("person", "time", "outcome", "occasions"),
            hint="Give the data, or person, time and time values.",
        )
    person, time = python_string(schema.person), python_string(schema.time or "")
    lines = [f"wide = d.groupby({person}).first()"]
    for stem, columns in ((schema.outcome, schema.outcome_columns), *schema.varying_columns):
        for j, (column, occasion) in enumerate(zip(columns, schema.occasions, strict=False)):
            rows = f"d[abs(d[{time}] - {number_text(float(occasion))}) <= 1e-9]"
            if schema.indicator is not None:
                own = schema.series[j]
                shown = python_string(own) if isinstance(own, str) else repr(own)
                kind = f"(d[{python_string(schema.indicator)}] == {shown})"
                rows = f"{rows[:-1].replace('d[', f'd[{kind} & (', 1)})]"
            target = f"wide[{python_string(column)}]"
            lines.append(f"{target} = {rows}.set_index({person})[{python_string(stem)}]")
    return lines
