"""A model as a description of ``semopy.ModelMeans``."""

from __future__ import annotations

import re
from collections import defaultdict
from itertools import combinations

from growthmm.errors import NotationError
from growthmm.model.defaults import Loss
from growthmm.model.sem import Path, SemModel
from growthmm.notation.base import Written
from growthmm.notation.lavaan.terms import arithmetic_text
from growthmm.notation.losses.definitions import definition_losses
from growthmm.notation.losses.levels import levels_loss
from growthmm.notation.sem.text import number_text
from growthmm.notation.semopy.defaults import AUTOMATIC

__all__ = ["write_model"]

_NAME = re.compile(r"[^\W\d_][\w.]*")
_LABEL = re.compile(r"[^\W\d]\w*")
_OPERATIONS = frozenset({"START", "BOUND", "CONSTRAINT", "DEFINE", "FORCE", "EXO", "ORDINAL"})


def write_model(model: SemModel) -> Written:
    """Write a model for ``semopy.ModelMeans``.

    Every intercept that semopy would free and the model does not is written as zero; a latent
    mean gets a label and a starting value, without which semopy 2.3 cannot fit it.

    Parameters
    ----------
    model : SemModel
        The model. How it is to be estimated is no part of the text.

    Returns
    -------
    Written
        Text that reads back as the model's table, and what semopy cannot say.

    Examples
    --------
    >>> from growthmm.notation.lavaan.read import read
    >>> print(write_model(read("i =~ 1*y0 + 1*y1")).text)
    i =~ 1*y0 + 1*y1
    y0 ~ 0*1
    y1 ~ 0*1
    i ~ _auto1*1
    START(1) _auto1
    """
    beyond = levels_loss(model, "semopy")
    if beyond:
        return Written("", beyond)
    losses = _unsayable(model)
    if losses:
        return Written("", losses)
    text = _Writer(model).text()
    from growthmm.notation.semopy.read import read

    try:
        again = read(text)
    except NotationError as error:
        why = error.message
    else:
        if again.table == model.table:
            return Written(text)
        why = "semopy's defaults get in the way of rows that the model has, or has not"
    return Written(text, (Loss("the model as a whole", why, "lavaan"),))


def _unsayable(model: SemModel) -> tuple[Loss, ...]:
    losses = []
    for name in (*model.latent, *model.outcomes, *model.covariates):
        if _NAME.fullmatch(name) is None or name in _OPERATIONS:
            why = "semopy's names are letters, digits, dots and underscores, a letter first"
            losses.append(Loss(f"the variable {name!r}", why, "rename the column"))
    measured = {path.left for path in model.paths if path.op == "=~"}
    for name in model.latent:
        if name not in measured and "." in name:
            why = "semopy's DEFINE(latent) takes no dots in names"
            losses.append(Loss(f"the variable {name!r}", why, "rename the latent variable"))
    for label in sorted({path.label for path in model.paths if path.label}):
        if _LABEL.fullmatch(label) is None or label.lower() in ("nan", "inf", "infinity"):
            why = "a label of semopy is letters, digits and underscores, and no number"
            losses.append(Loss(f"the label {label!r}", why, "rename the label"))
    if model.n_groups > 1 or model.group_variable is not None:
        losses.append(Loss("groups", "semopy's description has no groups", "lavaan"))
    for defined in model.defined:
        why = "semopy has no defined parameters"
        losses.append(
            Loss(f"{defined.name} := {defined.expression}", why, "lavaan, or the delta method")
        )
    losses += definition_losses(model, "semopy")
    for constraint in model.constraints:
        if not re.fullmatch(r"[\w\s+*/().-]*", constraint.left + constraint.right):
            why = "a label of semopy is letters, digits and underscores"
            losses.append(Loss(f"{constraint.left} {constraint.op} ...", why, "rename"))
    if model.estimator == "reml":
        losses.append(Loss("estimator = reml", "semopy.ModelMeans fits ML", "lme4, or ML"))
    return tuple(losses)


class _Writer:
    """Collects lines, and the labels that operations need."""

    def __init__(self, model: SemModel) -> None:
        self.model = model
        self.rows = {self._key(path): path for path in model.paths}
        self.operations: dict[str, str] = {}
        self.automatic = 0
        self.named = {name for op, *ends in self.rows if op in ("=~", "~") for name in ends}
        self.taken = {path.label for path in model.paths if path.label}
        self.explained = {
            path.right if path.op == "=~" else path.left
            for path in model.paths
            if path.op in ("=~", "~") or (path.op == "~1" and self._counts(path))
        }

    @staticmethod
    def _key(path: Path) -> tuple[str, str, str]:
        left, right = path.left, path.right
        if path.op == "~~":
            left, right = sorted((left, right))
        return path.op, left, right

    @staticmethod
    def _counts(path: Path) -> bool:
        return not path.is_zero

    def text(self) -> str:
        lines = [*self._loadings(), *self._moments(), *self._regressions()]
        lines += [
            f"CONSTRAINT({arithmetic_text(c.left)} {'=' if c.op == '==' else c.op} "
            f"{arithmetic_text(c.right)})"
            for c in self.model.constraints
        ]
        return "\n".join([*lines, *self.operations.values()])

    def _label(self, path: Path, *, needed: bool) -> str | None:
        """The path's label, or one made up where `needed`; with its start and bounds noted."""
        label = path.label
        bounded = path.lower is not None or path.upper is not None
        if label is None and (needed or path.start is not None or bounded):
            self.automatic += 1
            while f"{AUTOMATIC}{self.automatic}" in self.taken:
                self.automatic += 1
            label = f"{AUTOMATIC}{self.automatic}"
        if label is not None and (path.start is not None or (needed and path.op == "~1")):
            start = 1.0 if path.start is None else path.start
            self.operations.setdefault(f"s{label}", f"START({number_text(start)}) {label}")
        if label is not None and bounded:
            low = "-inf" if path.lower is None else number_text(path.lower)
            high = "inf" if path.upper is None else number_text(path.upper)
            self.operations.setdefault(f"b{label}", f"BOUND({low}, {high}) {label}")
        return label

    def _term(self, path: Path | None, variable: str, *, needed: bool = False) -> str:
        if path is None:
            return f"0*{variable}"
        if not path.free:
            value = number_text(path.value or 0.0).replace("e+", "e")
            return f"{value}*{variable}"
        label = self._label(path, needed=needed)
        return variable if label is None else f"{label}*{variable}"

    def _loadings(self) -> list[str]:
        lines: dict[str, list[Path]] = defaultdict(list)
        for path in self.model.paths:
            if path.op == "=~":
                lines[path.left].append(path)
        written = []
        for factor in self.model.latent:
            loadings = lines.get(factor, [])
            if not loadings:
                written.append(f"DEFINE(latent) {factor}")
                continue
            anchored = any(not path.free for path in loadings)
            terms = [
                self._term(path, path.right, needed=path.free and not anchored) for path in loadings
            ]
            written.append(f"{factor} =~ {' + '.join(terms)}")
        return written

    def _moments(self) -> list[str]:
        """Variances and covariances that semopy would make otherwise."""
        model = self.model
        lines = []
        expected = {
            ("~~", name, name)
            for name in (*model.latent, *(n for n in model.outcomes if self._is_explained(n)))
        }
        loose = [name for name in model.latent if name not in self.explained]
        random = [name for name in model.outcomes if not self._is_explained(name)]
        forced = {("~~", min(a, b), max(a, b)) for a in random for b in random}
        expected |= {("~~", min(a, b), max(a, b)) for a, b in combinations(loose, 2)}
        keys = [key for key in self.rows if key[0] == "~~"]
        keys += sorted(key for key in (expected | forced) if key not in self.rows)
        for key in keys:
            path = self.rows.get(key)
            plain = path is not None and path.free and path.label is None
            plain = plain and path is not None and path.lower is path.upper is path.start is None
            if (key in expected and plain) or (
                path is not None and path.is_zero and key not in expected | forced
            ):
                continue
            left, right = (key[1], key[2]) if path is None else (path.left, path.right)
            lines.append(f"{left} ~~ {self._term(path, right)}")
        return lines

    def _is_explained(self, name: str) -> bool:
        """Whether an arrow points at an observed variable, be it that of the constant."""
        arrow = any(
            (op == "=~" and right == name) or (op == "~" and left == name)
            for op, left, right in self.rows
        )
        return arrow or self._writes_intercept(name)

    def _writes_intercept(self, name: str) -> bool:
        """Whether the intercept of an observed variable has to be written."""
        mean = self.rows.get(("~1", name, ""))
        if mean is None or not mean.free or mean.label is not None:
            return True
        return name not in self.named or (mean.start, mean.lower, mean.upper) != (None,) * 3

    def _regressions(self) -> list[str]:
        """Regressions and means, one line for each variable."""
        model = self.model
        lines = []
        predictors: dict[str, list[Path]] = defaultdict(list)
        for path in model.paths:
            if path.op == "~":
                predictors[path.left].append(path)
        for name in (*model.outcomes, *model.latent):
            terms = []
            mean = self.rows.get(("~1", name, ""))
            latent = name in model.latent
            if latent:
                if mean is not None and self._counts(mean):
                    terms.append(self._term(mean, "1", needed=mean.free))
            elif self._writes_intercept(name):
                terms.append(self._term(mean, "1"))
            terms += [self._term(path, path.right) for path in predictors.get(name, [])]
            if terms:
                lines.append(f"{name} ~ {' + '.join(terms)}")
        unused = [x for x in model.covariates if x not in self.named]
        if unused and model.outcomes:
            lines += [f"{model.outcomes[0]} ~ {' + '.join(f'0*{x}' for x in unused)}"]
        return lines
