"""The result of a verification where no linear mixed model says the structural equation model."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

import numpy as np

from growthmm.data.writing import write_whole
from growthmm.equivalence.evidence import Level
from growthmm.equivalence.fits import EngineReport
from growthmm.equivalence.result import Equivalence
from growthmm.equivalence.sem_evidence import CurvedFit
from growthmm.errors import NotEquivalentError, UnsupportedError
from growthmm.inference.result import FitResult
from growthmm.model.defaults import Assumption, Loss
from growthmm.rendering import Brief, Tabular, render
from growthmm.translation.nearest import NearModel

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Nearest", "NotRepresentable"]


@dataclass(frozen=True, repr=False)
class Nearest(Brief):
    """The nearest growth model that has a mixed form, on the same data.

    Parameters
    ----------
    form : NearModel
        What makes it another model.
    found : Equivalence
        Its verification: both forms, fitted by both engines.
    """

    form: NearModel
    found: Equivalence

    def to_dict(self, fit: FitResult) -> dict[str, Any]:
        """Plain values, with the likelihood-ratio test against `fit` where one is nested."""
        own = self.found.sem_fit
        row = {
            "what": self.form.what,
            "relation": self.form.relation,
            "text": self.found.text,
            "verdict": self.found.verdict,
            "log_likelihood": {
                "long": self.found.mixed_fit.log_likelihood,
                "wide": own.log_likelihood,
            },
            "n_parameters": own.n_parameters,
            "chi_square": None,
            "df": None,
        }
        df = fit.n_parameters - own.n_parameters
        gap = 2 * (fit.log_likelihood - own.log_likelihood)
        if self.form.relation == "larger":
            df, gap = -df, -gap
        converged = fit.convergence.converged and own.convergence.converged
        if self.form.relation != "other" and df > 0 and converged:
            row |= {"chi_square": gap, "df": df}
        return row


@dataclass(frozen=True)
class NotRepresentable(Tabular):
    """Why a structural equation model is no linear mixed model, and its fit.

    It answers as an :class:`~growthmm.equivalence.result.Equivalence` does, of the one form that
    there is; second-order growth has another, with curves.

    Parameters
    ----------
    losses : tuple of Loss
        What no mixed model says, each with the nearest thing that can be said.
    reason : str
        The verdict in a sentence.
    levels : tuple of Level
        The evidence: the engine ``wide`` held against the referee, and against ``long`` where
        there is a form with curves.
    reports : tuple of EngineReport
        Every engine, used or not.
    sem_fit : FitResult
        Our fit of the model as it is.
    nearest : Nearest, optional
        The nearest growth model with a mixed form; None where none was found.
    curved : CurvedFit, optional
        The mixed form that is linear given its loadings, and its fit by the engine ``long``;
        of second-order growth alone.
    assumptions : tuple of Assumption
        What was guessed on the way.
    """

    verdict: ClassVar[str] = "not_representable"
    model_verdict: ClassVar[str] = "not_representable"
    identical: ClassVar[bool] = False
    mixed_fit: ClassVar[None] = None
    nested_df: ClassVar[None] = None
    optima: ClassVar[tuple[()]] = ()

    losses: tuple[Loss, ...]
    reason: str
    levels: tuple[Level, ...]
    reports: tuple[EngineReport, ...]
    sem_fit: FitResult
    nearest: Nearest | None = None
    curved: CurvedFit | None = None
    assumptions: tuple[Assumption, ...] = ()

    @property
    def conditions(self) -> tuple[str, ...]:
        """The losses in words."""
        return tuple(str(loss) for loss in self.losses)

    @property
    def text(self) -> str:
        """The mixed form with curves, as nlme says it, else that of the nearest model."""
        if self.curved is not None and self.curved.text:
            return self.curved.text
        return "" if self.nearest is None else self.nearest.found.text

    @property
    def engines(self) -> pd.DataFrame:
        """Every engine: ``name, used, reason, version, log_likelihood, distance``."""
        import pandas as pd

        return pd.DataFrame(self._engine_rows())

    @property
    def parameters(self) -> pd.DataFrame:
        """The model's parameters with every engine's estimates and standard errors."""
        import pandas as pd

        flat = []
        for row in self._parameter_rows():
            record = {k: v for k, v in row.items() if k not in ("estimate", "std_error")}
            for engine, value in row["estimate"].items():
                record[f"estimate_{engine}"] = value
                record[f"std_error_{engine}"] = row["std_error"][engine]
            flat.append(record)
        return pd.DataFrame(flat)

    def check(self) -> NotRepresentable:
        """Raise, since the two are not identical.

        Raises
        ------
        NotEquivalentError
            Always.
        """
        raise NotEquivalentError(
            f"The verdict is {self.verdict}: {self.reason}",
            hint="The losses say what no mixed model says, and what comes nearest.",
        )

    def proof(self) -> NoReturn:
        """Refuse: there is one form, and nothing to prove it equal to.

        Raises
        ------
        UnsupportedError
            Always, with what no mixed model says.
        """
        raise UnsupportedError(
            "There is no proof: the model is no linear mixed model.",
            losses=self.losses,
            hint="`.nearest.found.proof()` proves the nearest model, where there is one.",
        )

    def to_dict(self) -> dict[str, Any]:
        """The result as plain values, as the command line's ``--json`` prints it."""
        return {
            "verdict": self.verdict,
            "model_verdict": self.model_verdict,
            "conditions": list(self.conditions),
            "nested_df": None,
            "reason": self.reason,
            "losses": [asdict(loss) for loss in self.losses],
            "nearest": None if self.nearest is None else self.nearest.to_dict(self.sem_fit),
            "engines": self._engine_rows(),
            "log_likelihood": {
                report.name: report.fit.log_likelihood if report.fit and report.used else None
                for report in self.reports
            },
            "optima": [],
            "levels": [asdict(level) for level in self.levels],
            "parameters": self._parameter_rows(),
            "n_subjects": self.sem_fit.n_subjects,
            "n_rows": self.sem_fit.n_rows,
            "text": self.text,
            "assumptions": [str(a) for a in self.assumptions],
        }

    def summary(self) -> str:
        """The result as text."""
        return str(render("not_representable.summary", self))

    def to_html(self, path: str | Path | None = None) -> str:
        """The result as one self-contained HTML page, which loads nothing.

        Parameters
        ----------
        path : str or Path, optional
            Where to write it, whole or not at all.
        """
        page = str(render("not_representable.html", self))
        if path is not None:
            write_whole(Path(path), page.encode())
        return page

    def _engine_rows(self) -> list[dict[str, Any]]:
        return [
            {
                "name": report.name,
                "used": report.used,
                "reason": report.reason,
                "version": report.version,
                "log_likelihood": None if report.fit is None else report.fit.log_likelihood,
                "distance": report.distance
                if report.distance is not None and np.isfinite(report.distance)
                else None,
                "se_difference": report.se_difference,
            }
            for report in self.reports
        ]

    def _parameter_rows(self) -> list[dict[str, Any]]:
        fits = {r.name: r.fit for r in self.reports if r.used and r.fit is not None}
        fit = self.sem_fit.fit
        rows = []
        for name, kind in zip(fit.names, fit.kinds, strict=True):
            estimate = {engine: own.value(name) for engine, own in fits.items()}
            error = {
                engine: _positive(own.standard_errors[own.names.index(name)])
                for engine, own in fits.items()
            }
            unit = next((e for e in error.values() if e), None)
            values = list(estimate.values())
            rows.append(
                {
                    "mixed_name": "",
                    "mixed_syntax": "",
                    "sem_name": name,
                    "sem_syntax": name,
                    "rule": "",
                    "kind": kind,
                    "estimate": estimate,
                    "std_error": error,
                    "max_difference_in_se": None
                    if unit is None or len(values) < 2
                    else (max(values) - min(values)) / unit,
                }
            )
        return rows

    def __repr__(self) -> str:
        figure = max((v.figure for v in self.levels if v.figure is not None), default=np.nan)
        return (
            f"<NotRepresentable: {sum(v.passed is True for v in self.levels)} of "
            f"{len(self.levels)} levels hold, largest figure {figure:.1e}>"
        )

    def _repr_html_(self) -> str:
        table = self.parameters.to_html(index=False, na_rep="", float_format="{:.4g}".format)
        return f"<p><strong>{escape(self.verdict)}</strong>: {escape(self.reason)}</p>\n{table}"


def _positive(value: float) -> float | None:
    return float(value) if value > 0 else None
