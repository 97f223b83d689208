"""A complete R program: read the data, bring them into wide form, fit with OpenMx, print."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from growthmm.model.sem import Path, SemModel
from growthmm.notation.base import ScriptContext
from growthmm.notation.openmx.write import Spelling, model_text, spelling
from growthmm.notation.r_code.incomplete import incomplete_lines
from growthmm.notation.r_code.wide import wide_lines
from growthmm.notation.sem.text import r_string

__all__ = ["STARTS", "script"]

STARTS = """
# Starting values: means by least squares, half of the variance to the residuals.
with_starts <- function(model) {
  y <- model$manifestVars
  f <- setdiff(rownames(model$A$values), y)
  d <- model$data$observed
  A <- model$A$values
  by_person <- grepl("^data[.]", model$A$labels)
  A[by_person] <- colMeans(d[sub("^data[.]", "", model$A$labels[by_person])])
  total <- solve(diag(nrow(A)) - A)
  dimnames(total) <- dimnames(A)
  half <- mean(vapply(d[y], var, 0, na.rm = TRUE), na.rm = TRUE) / 2
  # 0 and 1 stand for a value that nobody gave.
  blank <- diag(model$S$free) & diag(model$S$values) == 1
  for (v in rownames(A)[blank]) {
    size <- if (v %in% y) 1 else length(f) * max(mean(total[y, v]^2), 1e-4)
    model$S$values[v, v] <- half / size
  }
  blank <- colnames(model$M$values)[model$M$free & model$M$values == 0]
  g <- intersect(f, blank)
  left <- colMeans(d[y], na.rm = TRUE)
  if (length(g)) {
    free <- setdiff(y, blank)
    b <- qr.coef(qr(total[free, g, drop = FALSE]), left[free])
    b[is.na(b)] <- 0
    model$M$values[1, g] <- b
    left <- left - total[y, g, drop = FALSE] %*% b
  }
  h <- intersect(y, blank)
  names(left) <- y
  model$M$values[1, h] <- left[h]
  model
}
"""
"""R function that gives a model with data its starting values."""

_RUN = """
mxOption(key = "Default optimizer", value = "SLSQP")
mxOption(key = "Nudge zero starts", value = "No")
mxOption(key = "Optimality tolerance", value = "1e-12")
mxOption(key = "Feasibility tolerance", value = "1e-10")
fit <- omxAssignFirstParameters(model)
# Numeric gradients seldom reach so tight a tolerance; a second search that gains nothing will do.
last <- Inf
for (search in 1:6) {
  fit <- suppressWarnings(mxRun(fit, silent = TRUE))
  converged <- fit$output$status$code < 2 || abs(last - fit$output$fit) < 1e-9
  if (converged) break
  last <- fit$output$fit
}
"""

_PRINT = """
cat(sprintf("logLik %.10f\\n", -fit$output$fit / 2))
cat(sprintf("npar %d\\n", length(coef(fit))))
cat(sprintf("nobs %d\\n", nrow(wide)))
cat(sprintf("converged %s\\n", converged))
show <- function(name, model, matrix, row, col) {
  part <- if (model == fit$name) fit else fit[[model]]
  cells <- part[[matrix]]
  r <- if (matrix == "M") 1 else match(row, rownames(cells$values))
  k <- match(col, colnames(cells$values))
  places <- sprintf("%s.%s[%d,%d]", model, matrix, c(r, k), c(k, r))
  errors <- fit$output$standardErrors
  at <- match(c(cells$labels[r, k], places), rownames(errors))
  error <- errors[at[!is.na(at)][1]]
  cat(sprintf("estimate\\t%s\\t%.12g\\t%.12g\\n", name, cells$values[r, k], error))
}
"""


def script(model: SemModel, context: ScriptContext) -> str:
    """A complete R program.

    It prints lines ``logLik``, ``npar``, ``nobs``, ``converged`` with a value each, and one line
    ``estimate`` for each free row with name, estimate and standard error, separated by tabs.
    Every observed outcome is used. An outcome whose covariate or definition variable is missing
    counts as missing.

    Parameters
    ----------
    model : SemModel
        The model.
    context : ScriptContext
        Where the data are and what they look like.

    Returns
    -------
    str
        R code that needs OpenMx alone.

    Raises
    ------
    UnboundError
        If the data are long and `context` has no schema.
    """
    names = spelling(model)
    columns = _columns(model)
    needed = [*columns, *([model.group_variable] if model.group_variable is not None else [])]
    lines = ["library(OpenMx)", "", *wide_lines(needed, context)]
    lines += incomplete_lines(model)
    outcomes = ", ".join(r_string(name) for name in model.outcomes)
    lines.append(f"wide <- wide[rowSums(!is.na(wide[c({outcomes})])) > 0, ]")
    if model.group_variable is not None:
        lines.append(f"groups <- as.character(wide[[{r_string(model.group_variable)}]])")
    said = ", ".join(r_string(name) for name in columns)
    plain = ", ".join(r_string(names.variables[name]) for name in columns)
    lines += [
        f"wide <- as.data.frame(lapply(wide[c({said})], as.numeric))",
        f"names(wide) <- c({plain})",
    ]
    text = model_text(replace(model, missing="ml"), names, _frames(model))
    lines += ["", f"model <- {text}", STARTS.rstrip()]
    for name in names.groups:
        lines.append(f"model <- mxModel(model, with_starts(model[[{r_string(name)}]]))")
    if not names.groups:
        lines.append("model <- with_starts(model)")
    lines += [_RUN.rstrip(), _PRINT.strip()]
    lines += [_shown(path, names) for path in model.paths if path.free]
    return "\n".join([*lines, ""])


def _columns(model: SemModel) -> list[str]:
    """Data columns that the model uses."""
    definitions = [path.definition for path in model.paths if path.definition is not None]
    return list(dict.fromkeys((*model.outcomes, *model.covariates, *definitions)))


def _frames(model: SemModel) -> tuple[str, ...]:
    if model.n_groups == 1:
        return ("wide",)
    if model.group_variable is None:
        return ("wide",) * model.n_groups
    if model.group_labels:
        return tuple(f"wide[groups == {r_string(label)}, ]" for label in model.group_labels)
    return tuple(f"wide[groups == unique(groups)[{k + 1}], ]" for k in range(model.n_groups))


def _shown(path: Path, names: Spelling) -> str:
    """The line that prints one free row."""

    def cell(name: str) -> str:
        return names.factors.get(name) or names.variables[name]

    where = names.groups[path.group] if names.groups else names.name
    effect, cause = (path.right, path.left) if path.op == "=~" else (path.left, path.right)
    matrix = {"~~": "S", "~1": "M"}.get(path.op, "A")
    place: Sequence[str] = ("", cell(path.left)) if matrix == "M" else (cell(effect), cell(cause))
    words = [path.name, where, matrix, *place]
    return f"show({', '.join(map(r_string, words))})"
