"""What users hand in as a model: text, a file's path, or a model already read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, cast

from growthmm.errors import NotationError, SpecificationError
from growthmm.model.mixed import MixedModel
from growthmm.model.residual import ResidualStructure
from growthmm.model.sem import SemModel
from growthmm.notation import notation, recognise

__all__ = ["ModelLike", "Source", "read", "source"]

ModelLike = str | Path | MixedModel | SemModel

Function = Literal["growth", "sem", "cfa", "lavaan"]

SUFFIXES = {".lav": "lavaan", ".lavaan": "lavaan", ".semopy": "semopy"}
"""File endings that say the notation."""


@dataclass(frozen=True)
class Source:
    """A model as it was handed in.

    Parameters
    ----------
    model : MixedModel or SemModel
        What was read.
    label : str
        How tables name it.
    """

    model: MixedModel | SemModel
    label: str


def _text_of(given: str | Path) -> tuple[str, str | None]:
    """The text, read from a file where `given` is a path; the notation that its ending says."""
    if isinstance(given, str) and ("\n" in given or len(given) > 1000):
        return given, None
    path = Path(given)
    looks_like_file = path.suffix.lower() in {*SUFFIXES, ".r", ".py", ".txt", ".inp"}
    try:
        exists = path.is_file()
    except (OSError, ValueError):
        exists = False
    if exists:
        try:
            return path.read_text(encoding="utf-8"), SUFFIXES.get(path.suffix.lower())
        except (OSError, UnicodeDecodeError) as error:
            raise SpecificationError(
                f"The model file {path} cannot be read: {error}.",
                hint="Give a text file in UTF-8.",
            ) from None
    if isinstance(given, Path) or (looks_like_file and "~" not in str(given)):
        raise SpecificationError(
            f"There is no model file {given}.", hint="Check the path, or give the model as text."
        )
    return str(given), None


def read(
    text: str | Path, notation_name: str | None = None, *, function: Function | None = None
) -> MixedModel | SemModel:
    """Read a model from text in any notation.

    Parameters
    ----------
    text : str or Path
        The model, or the path of a file that holds it.
    notation_name : str, optional
        The notation; recognised from the text where None.
    function : {"growth", "sem", "cfa", "lavaan"}, optional
        Whose defaults fill bare lavaan text in; ``growth`` where None.

    Returns
    -------
    MixedModel or SemModel
        What the text says, program defaults filled in.

    Raises
    ------
    NotationError
        If it cannot be read; the message shows where.

    Examples
    --------
    >>> read("gpa ~ occasion + (1 + occasion | student)").groups
    ('student',)
    """
    content, from_suffix = _text_of(text)
    if not content.strip():
        raise NotationError("The model text is empty.", hint="Write a formula or lavaan text.")
    name = notation_name or from_suffix or recognise(content)
    speaker = notation(name)
    if function is not None:
        if name != "lavaan":
            raise SpecificationError(
                f"--function {function} is about lavaan text; this is {speaker.title}.",
                hint="Leave it out.",
            )
        return cast("SemModel", cast("Any", speaker).read(content, function=function))
    return speaker.read(content)


def source(
    given: ModelLike,
    *,
    notation_name: str | None = None,
    function: Function | None = None,
    residual: str | ResidualStructure | None = None,
    estimator: str | None = None,
) -> Source:
    """A model from whatever was handed in, with the options that the text cannot say.

    Parameters
    ----------
    given : str, Path, MixedModel or SemModel
        The model.
    notation_name, function : str, optional
        As in :func:`read`.
    residual : str or ResidualStructure, optional
        The residual structure of a mixed model whose notation cannot say it.
    estimator : {"ml", "reml"}, optional
        Put in place of what the text says.

    Raises
    ------
    SpecificationError
        If an option does not fit the model.
    """
    if isinstance(given, (MixedModel, SemModel)):
        model: MixedModel | SemModel = given
        label = "model"
    elif isinstance(given, (str, Path)):
        model = read(given, notation_name, function=function)
        label = " ".join(str(given).split())
    else:
        raise SpecificationError(
            f"A model is text, a path or a model already read, not {type(given).__name__}.",
            hint="Give a formula such as 'y ~ t + (t | id)'.",
        )
    if residual is not None:
        if isinstance(model, SemModel):
            raise SpecificationError(
                "A structural equation model writes its residual structure itself.",
                hint="Leave residual out, and label or free the residual variances.",
            )
        structure = (
            residual
            if isinstance(residual, ResidualStructure)
            else ResidualStructure.parse(residual)
        )
        model = replace(model, residual=structure)
        if structure.kind != "common":
            label += f" ; residual={structure}"
    if estimator is not None:
        if estimator not in ("ml", "reml"):
            raise SpecificationError(
                f"There is no estimator {estimator!r}.", hint="Use 'ml' or 'reml'."
            )
        model = replace(model, estimator=estimator)
    return Source(model, label)
