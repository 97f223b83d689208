"""A complete R program: read the data, bring them into wide form, fit with lavaan, print."""

from __future__ import annotations

from growthmm.model.sem import SemModel
from growthmm.notation.base import ScriptContext
from growthmm.notation.lavaan.write import write_model
from growthmm.notation.r_code.incomplete import incomplete_lines
from growthmm.notation.r_code.wide import wide_lines
from growthmm.notation.sem.levels import cluster_column
from growthmm.notation.sem.text import r_string

__all__ = ["script"]

_PRINT = """\
cat(sprintf("logLik %.10f\\n", as.numeric(logLik(fit))))
cat(sprintf("npar %d\\n", as.integer(fitMeasures(fit, "npar"))))
cat(sprintf("nobs %d\\n", as.integer(lavInspect(fit, "ntotal"))))
cat(sprintf("converged %s\\n", lavInspect(fit, "converged")))
estimates <- parameterEstimates(fit)
free <- parTable(fit)$free[seq_len(nrow(estimates))] > 0
group <- if (is.null(estimates$group)) "" else
  ifelse(estimates$group > 1, paste0(".g", estimates$group), "")
level <- if (is.null(estimates$level)) "" else ifelse(estimates$level == 2, ".l2", "")
name <- paste0(estimates$lhs, estimates$op, estimates$rhs, group, level)
for (k in which(free)) {
  cat(sprintf("estimate\\t%s\\t%.12g\\t%.12g\\n", name[k], estimates$est[k], estimates$se[k]))
}
"""


def script(model: SemModel, context: ScriptContext) -> str:
    """A complete R program.

    It prints lines ``logLik``, ``npar``, ``nobs``, ``converged`` with a value each, and one line
    ``estimate`` for each free row with name (``.g2`` and so on behind it from the second group),
    estimate and standard error, separated by tabs.

    Parameters
    ----------
    model : SemModel
        The model.
    context : ScriptContext
        Where the data are and what they look like.

    Returns
    -------
    str
        R code that needs lavaan alone.

    Raises
    ------
    UnboundError
        If the data are long and `context` has no schema.
    """
    variables = [*model.outcomes, *model.covariates]
    if model.group_variable is not None:
        variables.append(model.group_variable)
    cluster = cluster_column(model, context)
    if cluster is not None:
        variables.append(cluster)
    lines = ["library(lavaan)", "", *wide_lines(variables, context)]
    if context.schema is not None:
        varying = {name for _, columns in context.schema.varying_columns for name in columns}
        lines += incomplete_lines(model, varying)
    shown = ", ".join(r_string(name) for name in model.outcomes)
    lines.append(f"wide <- wide[rowSums(!is.na(wide[c({shown})])) > 0, ]")
    return "\n".join([*lines, *_fitting(model, cluster), "", _PRINT])


def _fitting(model: SemModel, cluster: str | None) -> list[str]:
    text = write_model(model).text
    formulas = text
    if "('\n" in text:
        formulas = text[text.index("('\n") + 3 : text.index("\n'", text.index("('\n") + 3)]
    arguments = ["data = wide"]
    if model.group_variable is not None:
        arguments.append(f"group = {r_string(model.group_variable)}")
    if model.group_labels:
        arguments.append(f"group.label = c({', '.join(map(r_string, model.group_labels))})")
    if cluster is not None:
        arguments.append(f"cluster = {r_string(cluster)}")
    arguments.append("meanstructure = TRUE")
    if model.likelihood == "normal":
        arguments.append('missing = "ml"')
    else:
        arguments.append(f"likelihood = {r_string(model.likelihood)}")
    if not model.fixed_x:
        arguments.append("fixed.x = FALSE")
    arguments.append("information = information")
    if any(constraint.op == "==" for constraint in model.constraints):
        # lavaan's own 1e-6 lets the log-likelihood end above the constrained maximum.
        arguments.append("control = list(control.outer = list(tol = 1e-10, itmax = 1000L))")
    if cluster is not None:
        # In its own units lavaan's search of two levels can stop 1e-4 below the maximum.
        arguments.append('optim.parscale = "standardized"')
    outcomes = ", ".join(r_string(name) for name in model.outcomes)
    chosen = (
        r_string(model.information)
        if model.information is not None
        else f'if (anyNA(wide[c({outcomes})])) "observed" else "expected"'
    )
    return [
        "",
        f"model <- '\n{formulas}\n'",
        f"information <- {chosen}",
        f"fit <- {model.function}(model, {', '.join(arguments)})",
    ]
