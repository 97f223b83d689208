"""What a notation is: it reads text into a model and writes a model as text; it never fits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from growthmm.model.defaults import Loss
from growthmm.model.mixed import MixedModel
from growthmm.model.schema import Column, Schema
from growthmm.model.sem import SemModel

__all__ = ["DerivedColumn", "Family", "Model", "Notation", "ScriptContext", "Written", "families"]
__all__ += ["numbers_unless_told"]

Model = MixedModel | SemModel

Family = Literal["mixed", "sem"]


@dataclass(frozen=True, slots=True)
class Written:
    """A model as text.

    Parameters
    ----------
    text : str
        The model alone; reading it gives the model back (but for `losses`).
    losses : tuple of Loss
        What the notation cannot say; empty where `text` is the whole model.
    """

    text: str
    losses: tuple[Loss, ...] = ()


@dataclass(frozen=True, slots=True)
class DerivedColumn:
    """A numeric column that a wide data set needs and the long one does not have.

    Parameters
    ----------
    name : str
        Its name in the wide data (``sexmale``).
    column : Column
        What it is, as a product of encoded factors.
    """

    name: str
    column: Column


@dataclass(frozen=True, slots=True)
class ScriptContext:
    """What a complete program needs beyond the model.

    Parameters
    ----------
    data : str, optional
        Path of the data file (CSV); the script asks for one where None.
    layout : {"long", "wide"}
        The layout of that file.
    schema : Schema, optional
        The bound facts: person, time, outcome, occasions, wide columns.
    derived : tuple of DerivedColumn
        Columns to compute before fitting.
    bins : tuple of float
        Shared occasions to which the times of long data are to be rounded first.
    person_means : tuple of (str, str)
        Columns to compute from long data before anything else, as means over a person's rows with
        an outcome, and of which column.
    """

    data: str | None = None
    layout: Literal["long", "wide"] = "long"
    schema: Schema | None = None
    derived: tuple[DerivedColumn, ...] = ()
    bins: tuple[float, ...] = ()
    person_means: tuple[tuple[str, str], ...] = ()


class Notation(Protocol):
    """A program's way of writing models.

    Attributes
    ----------
    name : str
        As users type it: ``"lme4"``.
    title : str
        As people print it.
    family : {"mixed", "sem"}
        Which models it writes.
    """

    name: str
    title: str
    family: Literal["mixed", "sem"]

    def recognises(self, text: str) -> bool:
        """Whether `text` can only be meant in this notation (cheap, no parsing of the whole)."""

    def read(self, text: str) -> Model:
        """Read `text`; raises NotationError and nothing else."""

    def write(self, model: Model) -> Written:
        """Write `model`; what cannot be said comes back as losses, all at once."""

    def script(self, model: Model, context: ScriptContext) -> str:
        """A complete program that reads the data, reshapes where needed, fits and prints."""

    def coefficient(self, column: Column) -> str:
        """The program's name for the coefficient of `column` (mixed notations)."""


def families(speaker: Notation) -> tuple[Family, ...]:
    """The families of models that a notation writes: its own, or those it lists as `families`.

    Parameters
    ----------
    speaker : Notation
        The notation. One that writes both (SAS, Stata) has a tuple ``families``; its `family`
        is the one that it is preferred for.
    """
    found: tuple[Family, ...] = getattr(speaker, "families", (speaker.family,))
    return found


def numbers_unless_told(speaker: Notation) -> bool:
    """Whether a bare column is a number to a program, so that it must be told of categories.

    R, Python and Julia see from the data that a column of text is categorical; SAS, SPSS and
    Stata have a list (CLASS, BY) or a prefix (``i.``) for it.

    Parameters
    ----------
    speaker : Notation
        The notation. SAS, SPSS and Stata have an attribute ``numbers_unless_told``.
    """
    found: bool = getattr(speaker, "numbers_unless_told", False)
    return found
