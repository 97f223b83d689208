"""What a program fills in silently, kept as rows of the model."""

from __future__ import annotations

from dataclasses import dataclass

from growthmm.rendering import Brief

__all__ = ["Assumption", "Default", "Loss", "NonlinearLoss"]


@dataclass(frozen=True, slots=True, repr=False)
class Default(Brief):
    """One thing that the text did not say and the program decides.

    Parameters
    ----------
    what : str
        What was decided, in the field's words: ``"estimator"``, ``"i ~~ s"``.
    value : str
        What it was decided to be: ``"REML"``, ``"free"``.
    rule : str
        The program's rule: ``"lmer: REML = TRUE unless told"``.
    """

    what: str
    value: str
    rule: str

    def __str__(self) -> str:
        return f"{self.what} = {self.value} ({self.rule})"


@dataclass(frozen=True, slots=True, repr=False)
class Loss(Brief):
    """Something that a notation or a family of models cannot say.

    Parameters
    ----------
    what : str
        The part of the model.
    why : str
        Why the target cannot say it.
    nearest : str
        The nearest thing that can be said, and where.
    """

    what: str
    why: str
    nearest: str

    def __str__(self) -> str:
        return f"{self.what}: {self.why}. Nearest: {self.nearest}"


@dataclass(frozen=True, slots=True)
class NonlinearLoss(Loss):
    """What no linear mixed model says, in whatever notation.

    The means or covariances depend on products of parameters: of a path and another path, mean or
    (co)variance. A model with such a part is ``not_representable``.
    """


@dataclass(frozen=True, slots=True, repr=False)
class Assumption(Brief):
    """Something that was guessed, with what it was guessed from.

    Parameters
    ----------
    what : str
        The statement that was assumed.
    why : str
        The evidence for it, and how to say otherwise.
    """

    what: str
    why: str

    def __str__(self) -> str:
        return f"{self.what} ({self.why})"
