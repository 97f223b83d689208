"""What the notations of structural equation models have in common."""

from __future__ import annotations

from typing import ClassVar, Literal

from growthmm.errors import NotationError, SpecificationError
from growthmm.model.defaults import Loss
from growthmm.model.schema import Column
from growthmm.model.sem import SemModel
from growthmm.notation.base import Model, ScriptContext, Written
from growthmm.notation.losses.levels import levels_loss

__all__ = ["SemNotation", "WrittenOnly"]


class SemNotation:
    """A notation that writes structural equation models and no mixed models."""

    name: str
    title: str
    family: Literal["mixed", "sem"] = "sem"

    def coefficient(self, column: Column) -> str:
        """The name of `column` in wide data: its parts, joined."""
        return ".".join(f"{part.expression}{part.label}" for part in column.parts) or "1"

    def sem(self, model: Model) -> SemModel:
        """The model, where it is a structural equation model.

        Raises
        ------
        SpecificationError
            If it is a mixed model.
        """
        if isinstance(model, SemModel):
            return model
        raise SpecificationError(
            f"{self.title} writes structural equation models, and this is a mixed model.",
            hint=f"Translate it first: growthmm.translate(model, to='{self.name}', ...).",
        )


class WrittenOnly(SemNotation):
    """A rendering of a structural equation model that does not hold all of it.

    Attributes
    ----------
    shown_as : str
        What it is, with its article: ``"A path diagram"``.
    of_sems : str
        That it is of structural equation models alone, for the loss of a mixed model.
    unread : str
        Why it is not read.
    """

    shown_as: ClassVar[str]
    of_sems: ClassVar[str]
    unread: ClassVar[str]

    def render(self, model: SemModel) -> str:
        """The text of a model of one level."""
        raise NotImplementedError

    def read(self, text: str) -> SemModel:
        """Refuse to read: what is written here does not hold the whole model.

        Raises
        ------
        NotationError
            Always.
        """
        raise NotationError(
            self.unread,
            text=text,
            position=0,
            hint="Give the model itself: lavaan, OpenMx, Mplus or a formula.",
        )

    def write(self, model: Model) -> Written:
        """Write `model`; a mixed model, or one of two levels, is lost whole."""
        if isinstance(model, SemModel):
            losses = levels_loss(model, self.shown_as)
            return Written("" if losses else self.render(model), losses)
        loss = Loss(
            "a mixed model",
            self.of_sems,
            f"translate it first: growthmm.translate(model, '{self.name}', data=...)",
        )
        return Written("", (loss,))

    def script(self, model: Model, context: ScriptContext) -> str:  # noqa: ARG002
        """The same text: there is no program around it."""
        return self.write(model).text
