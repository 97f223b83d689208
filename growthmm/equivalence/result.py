"""The result of a verification: two verdicts and what they rest on."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from growthmm.data.writing import write_whole
from growthmm.equivalence.correspondence import Correspondence
from growthmm.equivalence.evidence import Level
from growthmm.equivalence.fits import EngineReport
from growthmm.equivalence.optima import Optima
from growthmm.equivalence.verdict import Verdict
from growthmm.errors import NotEquivalentError
from growthmm.inference.result import FitResult
from growthmm.model.defaults import Assumption
from growthmm.rendering import Tabular, render
from growthmm.translation.pair import Pair
from growthmm.translation.scripts.context import DataFile

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from growthmm.equivalence.proof.proof import Proof

__all__ = ["Equivalence"]


@dataclass(frozen=True)
class Equivalence(Tabular):
    """Whether two forms of a growth model are the same, and these fits of them.

    Parameters
    ----------
    verdict : str
        About these fits on these data: ``identical``, ``identical_if``, ``nested``,
        ``approximate`` (one model, but the fits do not show it to full precision),
        ``different_estimator``, ``not_representable``, or ``different`` where evidence contradicts
        the translation.
    model_verdict : str
        About the models, without data.
    conditions : tuple of str
        What ``identical_if`` depends on.
    reason : str
        The verdict in a sentence.
    levels : tuple of Level
        The evidence.
    reports : tuple of EngineReport
        Every engine, used or not.
    pair : Pair
        The two forms.
    mixed_fit, sem_fit : FitResult
        Our fits of both.
    optima : tuple of Optimum
        At a boundary, the optima over both parameter spaces.
    text : str
        The other side, written out.
    assumptions : tuple of Assumption
        What was guessed or left out on the way.
    nested_df : int, optional
        Degrees of freedom where one model is nested in the other.
    link : Correspondence
        How one side's parameters give the other's.
    file : DataFile
        Where the data are, for programs.
    """

    verdict: Verdict
    model_verdict: Verdict
    conditions: tuple[str, ...]
    reason: str
    levels: tuple[Level, ...]
    reports: tuple[EngineReport, ...]
    pair: Pair
    mixed_fit: FitResult
    sem_fit: FitResult
    link: Correspondence
    optima: Optima = ()
    text: str = ""
    assumptions: tuple[Assumption, ...] = ()
    nested_df: int | None = None
    file: DataFile = field(default_factory=DataFile)

    @property
    def identical(self) -> bool:
        """Whether the verdict is ``identical`` or ``identical_if``."""
        return self.verdict in ("identical", "identical_if")

    @property
    def engines(self) -> pd.DataFrame:
        """Every engine: ``name, used, reason, version, log_likelihood, distance``."""
        import pandas as pd

        return pd.DataFrame(self._engine_rows())

    @property
    def parameters(self) -> pd.DataFrame:
        """The parameter map with every engine's estimates and standard errors.

        Columns ``mixed_name, mixed_syntax, sem_name, sem_syntax, rule, kind``, for each engine
        used ``estimate_ENGINE`` and ``std_error_ENGINE``, and ``max_difference_in_se``.
        """
        import pandas as pd

        flat = []
        for row in self._parameter_rows():
            record = {k: v for k, v in row.items() if k not in ("estimate", "std_error")}
            last = record.pop("max_difference_in_se")
            for engine, value in row["estimate"].items():
                record[f"estimate_{engine}"] = value
                record[f"std_error_{engine}"] = row["std_error"][engine]
            flat.append(record | {"max_difference_in_se": last})
        return pd.DataFrame(flat)

    def _engine_rows(self) -> list[dict[str, Any]]:
        return [
            {
                "name": report.name,
                "used": report.used,
                "reason": report.reason,
                "version": report.version,
                "log_likelihood": None if report.fit is None else report.fit.log_likelihood,
                "distance": _finite(report.distance),
                "se_difference": report.se_difference,
            }
            for report in self.reports
        ]

    def _parameter_rows(self) -> list[dict[str, Any]]:
        from growthmm.equivalence.parameter_rows import parameter_rows

        return parameter_rows(self.pair, self.reports, self.link)

    def check(self) -> Equivalence:
        """Itself, where the two are identical.

        Raises
        ------
        NotEquivalentError
            Where they are not.
        """
        if not self.identical:
            raise NotEquivalentError(
                f"The verdict is {self.verdict}: {self.reason}",
                hint="The levels of evidence say where the two differ.",
            )
        return self

    def to_dict(self) -> dict[str, Any]:
        """The result as plain values, as the command line's ``--json`` prints it."""
        return {
            "verdict": self.verdict,
            "model_verdict": self.model_verdict,
            "conditions": list(self.conditions),
            "nested_df": self.nested_df,
            "reason": self.reason,
            "engines": self._engine_rows(),
            "log_likelihood": {
                report.name: None
                if report.fit is None or not report.used
                else report.fit.log_likelihood
                for report in self.reports
            },
            "optima": [asdict(optimum) for optimum in self.optima],
            "levels": [asdict(level) for level in self.levels],
            "parameters": self._parameter_rows(),
            "n_subjects": self.mixed_fit.n_subjects,
            "n_rows": self.mixed_fit.n_rows,
            "text": self.text,
            "assumptions": [str(a) for a in self.assumptions],
        }

    def summary(self) -> str:
        """The result as text."""
        return str(render("equivalence.summary", self))

    def proof(self) -> Proof:
        """That both forms imply the same moments, derived in symbols.

        Means and covariances of both forms, the parameter map applied, the difference simplified
        to zero; and the covariances once more by tracing paths in the diagram. Groups of persons
        have matrices of their own, and so have persons and clusters; parameters within loadings
        stay symbols. ``.to_text()``, ``.to_latex()`` and ``.to_html()`` write it. Needs sympy.

        Raises
        ------
        UnsupportedError
            If a column, a constraint or a rule of the parameter map has no symbols, paths form a
            cycle, or sympy does not get a difference to zero that is zero in numbers.
        EngineNotInstalledError
            If sympy is absent.
        """
        from growthmm.equivalence.proof.proof import prove

        return prove(self.pair, self.link)

    def to_html(self, path: str | Path | None = None) -> str:
        """The whole verification as one self-contained HTML page.

        Verdict, both specifications, equations, path diagram, parameters, evidence, pictures, the
        model in every program's words, and a paragraph for a methods section. The page loads
        nothing from anywhere; it needs the packages matplotlib and jinja2.

        Parameters
        ----------
        path : str or Path, optional
            Where to write it, whole or not at all.

        Returns
        -------
        str
            The page.

        Raises
        ------
        EngineNotInstalledError
            If matplotlib or jinja2 is absent.
        SpecificationError
            If the file can't be written.
        """
        page = str(render("equivalence.html", self))
        if path is not None:
            write_whole(Path(path), page.encode())
        return page

    def picture(self, kind: str) -> Figure:
        """One picture, drawn with matplotlib; ``.savefig(path)`` writes it.

        Parameters
        ----------
        kind : {"trajectories", "scores", "parameters", "missing", "residuals"}
            Data and curves; random effects against factor scores; differences between engines in
            standard errors; which outcomes were observed; residuals.

        Raises
        ------
        EngineNotInstalledError
            If matplotlib is absent.
        SpecificationError
            If there is no such picture, or the data allow none of it.
        """
        made: Figure = render("equivalence.picture", self, kind)
        return made

    def __repr__(self) -> str:
        figure = max((v.figure for v in self.levels if v.figure is not None), default=np.nan)
        return (
            f"<Equivalence {self.verdict}: {sum(v.passed is True for v in self.levels)} of "
            f"{len(self.levels)} levels hold, largest figure {figure:.1e}>"
        )

    def _repr_html_(self) -> str:
        table = str(render("table.html", self))
        return f"<p><strong>{escape(self.verdict)}</strong>: {escape(self.reason)}</p>\n{table}"


def _finite(value: float | None) -> float | None:
    return value if value is not None and np.isfinite(value) else None
