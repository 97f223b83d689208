"""What users hand in as a model: text, a file's path, or a model already read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, cast

from growthmm.engines.kept import kept
from growthmm.errors import NotationError, SpecificationError
from growthmm.model.mixed import MixedModel
from growthmm.model.residual import ResidualStructure
from growthmm.model.sem import SemModel
from growthmm.notation import notation as speaker_of
from growthmm.notation import recognise

__all__ = ["ModelLike", "Source", "read", "source"]

ModelLike = str | Path | MixedModel | SemModel

Function = Literal["growth", "sem", "cfa", "lavaan"]

SUFFIXES = {
    ".lav": "lavaan",
    ".lavaan": "lavaan",
    ".semopy": "semopy",
    ".sas": "sas",
    ".sps": "spss",
    ".do": "stata",
    ".inp": "mplus",
}
"""File endings that say the notation."""

FILE_ENDINGS = frozenset({*SUFFIXES, ".r", ".py", ".txt"})
"""Endings by which a text without a model's signs is taken for a path."""

FUNCTIONS = ("growth", "sem", "cfa", "lavaan")

ESTIMATORS = ("ml", "reml")


@dataclass(frozen=True)
class Source:
    """A model as it was handed in.

    Parameters
    ----------
    model : MixedModel or SemModel
        What was read.
    label : str
        How tables name it.
    text : str
        Its text; empty where a model was handed in.
    folder : Path, optional
        The folder of the file that it was read from.
    """

    model: MixedModel | SemModel
    label: str
    text: str = ""
    folder: Path | None = None


def _text_of(given: str | Path) -> tuple[str, str | None]:
    """The text, read from a file where `given` is a path; the notation that its ending says."""
    if isinstance(given, str) and ("\n" in given or len(given) > 1000):
        return given, None
    path = Path(given)
    if str(given).startswith("~/"):
        path = path.expanduser()
    try:
        exists, folder = path.is_file(), path.is_dir()
    except (OSError, ValueError):
        exists = folder = False
    if exists:
        return _file_text(path), SUFFIXES.get(path.suffix.lower())
    signs = isinstance(given, str) and "~" in given.removeprefix("~/")
    if folder and not signs and str(given).strip():
        raise SpecificationError(
            f"The model {str(given)!r} is a folder.", hint="Name a file in it."
        )
    if isinstance(given, Path) or (path.suffix.lower() in FILE_ENDINGS and not signs):
        raise SpecificationError(
            f"There is no model file {str(given)!r}.",
            hint="Check the path, or give the model as text.",
        )
    return str(given), None


def _file_text(path: Path) -> str:
    try:
        # Editors on Windows put a byte order mark before UTF-8.
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise SpecificationError(
            f"The model file {str(path)!r} is not UTF-8 text: {error.reason} at byte "
            f"{error.start}.",
            hint="Save it as UTF-8 text.",
        ) from None
    except OSError as error:
        raise SpecificationError(
            f"The model file {str(path)!r} cannot be read: {error.strerror}.",
            hint="Check that you may read it.",
        ) from None
    if not text.strip():
        raise NotationError(
            f"The model file {str(path)!r} is empty.", hint="Write a formula or lavaan text in it."
        )
    return text


@lru_cache(maxsize=32)
def _read_once(name: str, content: str) -> MixedModel | SemModel:
    """Models do not change, so that text fitted to many data sets is read once."""
    return speaker_of(name).read(content)


def read(
    text: str | Path, notation: str | None = None, *, function: Function | None = None
) -> MixedModel | SemModel:
    """Read a model from text in any notation.

    Parameters
    ----------
    text : str or Path
        The model, or the path of a file that holds it.
    notation : str, optional
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
    SpecificationError
        If the file, the notation or the function does not exist.

    Examples
    --------
    >>> read("gpa ~ occasion + (1 + occasion | student)").groups
    ('student',)
    """
    if not isinstance(text, (str, Path)):
        raise SpecificationError(
            f"A model to read is text or a path, not {type(text).__name__}.",
            hint="Give a formula such as 'y ~ t + (t | id)'.",
        )
    content, from_suffix = _text_of(text)
    if not content.strip():
        raise NotationError("The model text is empty.", hint="Write a formula or lavaan text.")
    if "\0" in content:
        raise NotationError(
            "The model text holds a null character.", hint="Give text, not binary data."
        )
    name = notation or from_suffix or recognise(content)
    speaker = speaker_of(name)
    if function is None:
        return _read_once(speaker.name, content)
    _known(function, FUNCTIONS, "function")
    if speaker.name != "lavaan":
        raise SpecificationError(
            f"The function {function!r} is about lavaan text; this is {speaker.title}.",
            hint="Leave the function out.",
        )
    return cast("SemModel", cast("Any", speaker).read(content, function=function))


def source(
    given: ModelLike,
    *,
    notation: str | None = None,
    function: Function | None = None,
    residual: str | ResidualStructure | None = None,
    estimator: str | None = None,
    otherwise: str | None = None,
) -> Source:
    """A model from whatever was handed in, with the options that the text cannot say.

    Parameters
    ----------
    given : str, Path, MixedModel or SemModel
        The model.
    notation, function : str, optional
        As in :func:`read`.
    residual : str or ResidualStructure, optional
        The residual structure of a mixed model whose notation cannot say it.
    estimator : {"ml", "reml"}, optional
        Put in place of what the text says.
    otherwise : {"ml", "reml"}, optional
        The estimator where neither `estimator` nor the text states one: a program's default
        does not count, ``lmer(..., REML = TRUE)`` does.

    Raises
    ------
    SpecificationError
        If an option does not fit the model.
    """
    text, folder = "", None
    if isinstance(given, (MixedModel, SemModel)):
        model: MixedModel | SemModel = given
        label, stated = "model", False
    elif isinstance(given, (str, Path)):
        model = read(given, notation, function=function)
        label = " ".join(str(given).split())
        stated = all(default.what != "estimator" for default in model.defaults)
        text, _ = _text_of(given)
        folder = None if text == str(given) else Path(given).expanduser().parent
    else:
        raise SpecificationError(
            f"A model is text, a path or a model already read, not {type(given).__name__}.",
            hint="Give a formula such as 'y ~ t + (t | id)'.",
        )
    if residual is not None:
        model, addition = _with_residual(model, residual)
        label += addition
    if estimator is not None:
        _known(estimator, ESTIMATORS, "estimator")
        model = _estimating(model, estimator)
    elif otherwise is not None and not stated:
        model = _estimating(model, otherwise)
    return Source(model, label, text, folder)


def _estimating(model: MixedModel | SemModel, estimator: str) -> MixedModel | SemModel:
    return model if model.estimator == estimator else _estimators(model)[estimator]


@kept
def _estimators(model: MixedModel | SemModel) -> dict[str, MixedModel | SemModel]:
    """The model by each other estimator: one object, so that what is kept of it is found again."""
    others = [name for name in ESTIMATORS if name != model.estimator]
    return {name: replace(model, estimator=cast("Any", name)) for name in others}


def _with_residual(
    model: MixedModel | SemModel, residual: str | ResidualStructure
) -> tuple[MixedModel, str]:
    """The model with another residual structure, and what that adds to its label."""
    if isinstance(model, SemModel):
        raise SpecificationError(
            f"The residual structure {str(residual)!r} is given for a structural equation model, "
            "which writes its own.",
            hint="Leave residual out, and label or free the residual variances.",
        )
    structure = (
        residual if isinstance(residual, ResidualStructure) else ResidualStructure.parse(residual)
    )
    addition = "" if structure.kind == "common" else f" ; residual={structure}"
    return replace(model, residual=structure), addition


def _known(value: str, allowed: tuple[str, ...], what: str) -> None:
    if value not in allowed:
        from growthmm.data.wording import nearest

        raise SpecificationError(
            f"There is no {what} {value!r}.",
            hint=f"{nearest(value, allowed)}Use one of {', '.join(allowed)}.",
        )
