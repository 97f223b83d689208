"""A complete Python program: read the data, bring them into wide form, fit with semopy, print."""

from __future__ import annotations

from growthmm.errors import UnboundError
from growthmm.model.expression_print import python_string
from growthmm.model.sem import SemModel
from growthmm.notation.base import ScriptContext
from growthmm.notation.sem_text import number_text
from growthmm.notation.semopy_write import write_model

__all__ = ["script"]

_FIT = """
model = semopy.ModelMeans(description)
result = model.fit(wide, obj="ML", options={"ftol": 1e-13, "maxiter": 10000})
print(result)
print(model.inspect().to_string())
"""


def script(model: SemModel, context: ScriptContext) -> str:
    """A complete Python program.

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
    lines = ["import sys", "", "import pandas as pd", "import semopy", ""]
    path = "sys.argv[1]" if context.data is None else python_string(context.data)
    lines.append(f"d = pd.read_csv({path})")
    lines += _wide(context)
    lines += [f"wide = wide[[{variables}]].dropna()", ""]
    return "\n".join([*lines, f'description = """\n{write_model(model).text}\n"""', _FIT])


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
        for column, occasion in zip(columns, schema.occasions, strict=False):
            rows = f"d[abs(d[{time}] - {number_text(float(occasion))}) <= 1e-9]"
            target = f"wide[{python_string(column)}]"
            lines.append(f"{target} = {rows}.set_index({person})[{python_string(stem)}]")
    return lines
