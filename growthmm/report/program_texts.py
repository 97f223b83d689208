"""The model in every program's words, and a complete program around each."""

from __future__ import annotations

from dataclasses import dataclass, replace

from growthmm.errors import GrowthmmError
from growthmm.model.mixed import MixedModel
from growthmm.notation import names, notation
from growthmm.notation.base import Model, Notation, families, numbers_unless_told
from growthmm.notation.command_languages.sheet import with_categories
from growthmm.translation.pair import Pair
from growthmm.translation.scripts.context import DataFile, script_context

__all__ = ["ProgramText", "mixed_text", "program_texts", "sem_text"]

PREFERRED = ("lme4", "nlme", "glmmtmb", "sas", "brms")
"""Mixed notations in which a model is shown, the first that can say all of it."""


@dataclass(frozen=True, slots=True)
class ProgramText:
    """The model in one program's words.

    Parameters
    ----------
    key : str
        The notation, with ``-sem`` or ``-mixed`` where it writes both families.
    title : str
        The program.
    text : str
        The model alone; empty where the program can't say it.
    script : str
        A complete program: reads the data, reshapes where needed, fits, prints. Empty where the
        program can't say all of the model.
    losses : tuple of str
        What it can't say.
    """

    key: str
    title: str
    text: str
    script: str
    losses: tuple[str, ...]


def program_texts(pair: Pair, file: DataFile) -> tuple[ProgramText, ...]:
    """The model as every notation writes it, or why one can't.

    Parameters
    ----------
    pair : Pair
        The two forms.
    file : DataFile
        Where the complete programs find the data.
    """
    return tuple(
        _written(pair, file, name, family)
        for name in names()
        for family in families(notation(name))
    )


def _written(pair: Pair, file: DataFile, name: str, family: str) -> ProgramText:
    speaker = notation(name)
    both = len(families(speaker)) > 1
    kind = "mixed model" if family == "mixed" else "SEM"
    title = f"{speaker.title} ({kind})" if both else speaker.title
    key = f"{name.replace('.', '-')}-{family}" if both else name.replace(".", "-")
    model = _form(pair, speaker, family)
    try:
        written = speaker.write(model)
        losses = tuple(f"{loss}" for loss in written.losses)
        context = script_context(pair, name, family, file)
        script = "" if losses else speaker.script(model, context)
    except GrowthmmError as error:
        return ProgramText(key, title, "", "", (error.message,))
    # Where the notation's model is a program already, there is no other.
    return ProgramText(key, title, written.text, script, losses)


def _form(pair: Pair, speaker: Notation, family: str) -> Model:
    if family == "sem":
        return replace(pair.sem.model, notation=speaker.name)
    model: MixedModel = replace(pair.mixed.model, notation=speaker.name)
    return with_categories(model, pair.mixed.schema) if numbers_unless_told(speaker) else model


def mixed_text(pair: Pair) -> tuple[str, str]:
    """The mixed model's text and its program, one that can say all of it if there is any."""
    own = pair.mixed.model.notation
    for name in dict.fromkeys((own, *PREFERRED)):
        speaker = notation(name)
        if "mixed" not in families(speaker):
            continue
        written = speaker.write(_form(pair, speaker, "mixed"))
        if written.text and not written.losses:
            return written.text, speaker.title
    speaker = notation(own)
    text = speaker.write(pair.mixed.model).text
    return f"{text}\nresidual: {pair.mixed.model.residual}", speaker.title


def sem_text(pair: Pair) -> tuple[str, str]:
    """The growth curve's text and its program."""
    model = pair.sem.model
    by_person = any(path.definition is not None for path in model.paths)
    speaker = notation("openmx" if by_person else "lavaan")
    return speaker.write(replace(model, notation=speaker.name)).text, speaker.title
