"""What ``write`` and ``translate`` return."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from growthmm.model.defaults import Assumption, Loss
from growthmm.model.mixed import MixedModel
from growthmm.model.schema import Schema
from growthmm.model.sem import SemModel
from growthmm.notation import notation as speaker_of
from growthmm.notation.default_list import DefaultRow, default_rows
from growthmm.rendering import Shown
from growthmm.translation.parameter_map import MapRow

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Translation", "WrittenModel"]


@dataclass(frozen=True)
class WrittenModel(Shown):
    """A model written in a notation.

    Parameters
    ----------
    text : str
        The model alone; it reads back.
    script : str
        A complete program around it.
    losses : tuple of Loss
        What the notation cannot say.
    """

    _html: ClassVar[str] = "written.html"

    text: str
    script: str
    losses: tuple[Loss, ...]

    def __repr__(self) -> str:
        n_lines = len(self.text.splitlines())
        return f"<WrittenModel of {n_lines} line{'s' * (n_lines != 1)}, {len(self.losses)} losses>"


@dataclass(frozen=True)
class Translation(Shown):
    """A model carried over to another notation.

    Parameters
    ----------
    text : str
        The model alone in the target's notation; it reads back.
    script : str
        A complete program: reads the data file, reshapes where needed, fits, prints.
    model : MixedModel or SemModel
        The model in the target's family.
    parameter_rows : tuple of MapRow
        The parameter map; empty within a family.
    losses : tuple of Loss
        What was lost (only with ``on_loss="keep"``).
    assumptions : tuple of Assumption
        What was guessed, and what the source's defaults are.
    schema : Schema, optional
        The facts of the data that it rests on: given as ``schema=``, they make the same
        translation without data. None within a family.
    given : MixedModel or SemModel, optional
        The model as it was read, before it was carried over.
    to : str
        The target notation.
    """

    _html: ClassVar[str] = "written.html"

    text: str
    script: str
    model: MixedModel | SemModel
    parameter_rows: tuple[MapRow, ...]
    losses: tuple[Loss, ...]
    assumptions: tuple[Assumption, ...]
    schema: Schema | None = None
    given: MixedModel | SemModel | None = field(default=None, repr=False)
    to: str = field(default="", repr=False)

    def __repr__(self) -> str:
        return (
            f"<Translation to {self.to}: {len(self.text.splitlines())} lines, "
            f"{len(self.parameter_rows)} parameters in the map, {len(self.assumptions)} "
            f"assumptions, {len(self.losses)} losses>"
        )

    @cached_property
    def defaults(self) -> tuple[DefaultRow, ...]:
        """Defaults of the source that the target does not share, and what was overridden.

        Each row has what was written to keep the model. The rows are found by reading the text
        again without its lines, one at a time, which takes longer than the translation.
        """
        if self.given is None or self.losses:
            return ()
        return default_rows(self.given, speaker_of(self.to), self.text)

    @property
    def parameters(self) -> pd.DataFrame:
        """The parameter map as a data frame."""
        import pandas as pd

        columns = ["mixed_name", "mixed_syntax", "sem_name", "sem_syntax", "rule", "kind"]
        return pd.DataFrame([asdict(row) for row in self.parameter_rows], columns=columns)

    def to_dict(self) -> dict[str, Any]:
        """The result as plain values, as the command line's ``--json`` prints it."""
        return {
            "text": self.text,
            "script": self.script,
            "parameters": self.parameters.to_dict("records"),
            "losses": [asdict(loss) for loss in self.losses],
            "assumptions": [str(a) for a in self.assumptions],
            "defaults": [asdict(row) for row in self.defaults],
        }
