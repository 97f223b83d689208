"""The verbs ``write`` and ``translate``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from growthmm.data.frames import as_pandas
from growthmm.engines.prepare import long_data
from growthmm.equivalence.missing_covariates import left_out, missing_note
from growthmm.errors import (
    DataError,
    GrowthmmError,
    SpecificationError,
    UnboundError,
    UnsupportedError,
)
from growthmm.model.defaults import Assumption, Loss
from growthmm.model.expression import quote
from growthmm.model.mixed import Estimator, MixedModel
from growthmm.model.schema import Schema
from growthmm.model.sem import SemModel
from growthmm.notation import notation as speaker_of
from growthmm.notation.base import (
    Notation,
    ScriptContext,
    families,
    numbers_unless_told,
)
from growthmm.notation.command_languages.sheet import with_categories
from growthmm.translation.binding.mixed import bind_mixed
from growthmm.translation.pair import Pair
from growthmm.translation.scripts.columns import with_computed
from growthmm.translation.scripts.context import STACKING, DataFile, script_context
from growthmm.verbs.binding import Facts, Layout, given_layout, paired
from growthmm.verbs.item_loadings import item_forms
from growthmm.verbs.lagging import lag_calls, with_named_lags
from growthmm.verbs.model_data import NamedData, named_data, named_source
from growthmm.verbs.prepared import Prepared, prepared
from growthmm.verbs.rounding import Bins
from growthmm.verbs.source import Function, ModelLike, Source
from growthmm.verbs.source import source as read_source
from growthmm.verbs.translated import Translation, WrittenModel

__all__ = ["translate", "write"]


OnLoss = Literal["raise", "keep"]

WITHOUT_DATA = "translated without data"


def write(model: MixedModel | SemModel, notation: str, on_loss: OnLoss = "raise") -> WrittenModel:
    """Write a model in a notation of its own family.

    Parameters
    ----------
    model : MixedModel or SemModel
        The model.
    notation : str
        The notation.
    on_loss : {"raise", "keep"}
        Whether a loss is an error, or kept in the result.

    Returns
    -------
    WrittenModel
        Text, script and losses.

    Raises
    ------
    UnsupportedError
        If the notation cannot say all of the model; all losses at once.
    SpecificationError
        If the notation is of the other family.
    """
    speaker = speaker_of(notation)
    family = "mixed" if isinstance(model, MixedModel) else "sem"
    if family not in families(speaker):
        raise SpecificationError(
            f"{speaker.title} writes {'mixed models' if family == 'sem' else 'SEMs'}, "
            f"and this is {'a SEM' if family == 'sem' else 'a mixed model'}.",
            hint="Use translate, which carries a model to the other family.",
        )
    written = speaker.write(model)
    _check_losses(written.losses, speaker.title, on_loss)
    layout: Layout = "long" if family == "mixed" else "wide"
    script = "" if written.losses else speaker.script(model, ScriptContext(layout=layout))
    return WrittenModel(written.text, script, written.losses)


def _check_losses(losses: tuple[Loss, ...], title: str, on_loss: OnLoss) -> None:
    if on_loss not in ("raise", "keep"):
        raise SpecificationError(f"There is no on_loss {on_loss!r}.", hint="Use 'raise' or 'keep'.")
    if losses and on_loss == "raise":
        raise UnsupportedError(
            f"{title} cannot say all of this model.",
            losses=losses,
            hint="Translate to a program named above, or change the model.",
        )


def translate(
    source: ModelLike,
    to: str,
    *,
    data: object | None = None,
    id: str | None = None,
    time: str | None = None,
    time_values: Sequence[float] | None = None,
    outcome: str | None = None,
    schema: Schema | None = None,
    layout: Layout | None = None,
    notation: str | None = None,
    function: Function | None = None,
    residual: str | None = None,
    estimator: str | None = None,
    on_loss: OnLoss = "raise",
    bin: Bins | None = None,
    mundlak: Sequence[str] | None = None,
) -> Translation:
    """Carry a growth model over to another notation, of either family.

    Parameters
    ----------
    source : str, Path, MixedModel or SemModel
        The model.
    to : str
        The target notation. One that writes both families (SAS, Stata) keeps the model's own,
        unless the family stands behind a colon: ``sas:sem``, ``stata:mixed``.
    data : data frame or path, optional
        Data that settle roles, levels and occasions; without them the facts must be given.
    id, time, outcome : str, optional
        Columns of the long form.
    time_values : sequence of float, optional
        The occasions.
    schema : Schema, optional
        In place of data: roles, levels, occasions and constants, all at once. The ``schema`` of
        a translation made with data is one.
    layout : {"long", "wide"}, optional
        The layout of the data, where it can't be told.
    notation, function : str, optional
        How to read the model.
    residual : str, optional
        Residual structure that a mixed notation can't say.
    estimator : {"ml", "reml"}, optional
        In place of what the text says.
    on_loss : {"raise", "keep"}
        Whether a loss is an error.
    bin : float or sequence of float, optional
        Round individually varying times to multiples of this width, or to these occasions, for
        programs whose loadings are the same for everyone: an approximation.
    mundlak : sequence of str, optional
        Time-varying covariates whose person means are added, so that their effects are those
        within persons.

    Returns
    -------
    Translation
        Text, script, model, parameter map, losses and assumptions.

    Raises
    ------
    UnsupportedError
        If the target cannot say it; all losses at once.
    UnboundError
        If facts are missing, by name.
    SpecificationError
        If both data and a schema are given, or facts contradict one another.

    Examples
    --------
    >>> made = translate(
    ...     "y ~ t + (1 + t | id)", "lavaan", time_values=[0, 1, 2]
    ... )
    >>> print(made.text.splitlines()[1])
    s =~ 0*y_0 + 1*y_1 + 2*y_2
    """
    read = read_source(
        source,
        notation=notation,
        function=function,
        residual=residual,
        estimator=estimator,
    )
    if schema is not None and data is not None:
        raise SpecificationError(
            "Both data and a schema were given.", hint="Leave one of them out."
        )
    to, wanted = _target(to)
    facts = Facts(id, time, outcome, time_values, layout, schema)
    given = _data(read, data, facts)
    ready = prepared(read.model, given.frame, facts, bin, mundlak)
    given = replace(given, notes=given.notes + ready.notes)
    own = "mixed" if isinstance(ready.model, MixedModel) else "sem"
    if own == wanted or (not wanted and own in families(speaker_of(to))):
        made = _within(ready, to, given, on_loss)
    else:
        made = _items(ready, to, given, on_loss, layout) or _across(
            ready, to, given, on_loss, layout
        )
    return replace(made, given=ready.model, to=to)


@dataclass(frozen=True)
class _Data:
    """The data of a translation: given, named by the model's text, or none."""

    frame: object | None
    path: str | None
    named: NamedData | None
    notes: tuple[Assumption, ...]

    def unused(self, error: GrowthmmError) -> Assumption:
        """That the data which the text names are left out, which say no more than the text."""
        if self.named is None:
            raise error
        return Assumption(f"the data in {self.named.path.name} are not used", error.message)


def _data(read: Source, data: object | None, facts: Facts) -> _Data:
    path = str(data) if isinstance(data, (str, Path)) else None
    if data is not None or facts.schema is not None:
        return _Data(data, path, None, ())
    named, notes = _named(read)
    if named is None:
        return _Data(None, None, None, notes)
    return _Data(named.frame, str(named.path) if named.csv else None, named, notes)


def _within(ready: Prepared, to: str, given: _Data, on_loss: OnLoss) -> Translation:
    """The model in another notation of its family."""
    told, known, more = _lags_named(_told(ready.model, ready.facts), ready.data, ready.facts)
    notes = given.notes + more
    try:
        known = known or _levels_known(told, speaker_of(to), ready.data, ready.facts)
    except GrowthmmError as error:
        known, notes = None, (*notes, given.unused(error))
    made = _respell(told, to, given.path, on_loss, known)
    return replace(made, assumptions=(*made.assumptions, *notes))


def _across(
    ready: Prepared, to: str, given: _Data, on_loss: OnLoss, layout: Layout | None
) -> Translation:
    """The model's form of the other family."""
    spelling = to if "mixed" in families(speaker_of(to)) else "lme4"
    notes = given.notes
    try:
        pair, long = paired(ready.model, ready.data, ready.facts, spelling=spelling)
    except GrowthmmError as error:
        if given.named is None:
            raise _with_reason(error, notes) from None
        # The text alone may say enough.
        pair, long = paired(ready.model, None, ready.facts, spelling=spelling)
        notes = (given.unused(error),)
    if long is not None and pair.growth.covariates:
        notes += missing_note(pair, left_out(pair, long_data(pair.mixed, long), long), long)
    seen = layout or given_layout(ready.model, ready.data, ready.facts)
    file = ready.file(given.path, seen)
    made = _other_form(pair, ready.model, to, file, on_loss=on_loss)
    return replace(made, assumptions=(*made.assumptions, *notes))


def _items(
    ready: Prepared, to: str, given: _Data, on_loss: OnLoss, layout: Layout | None
) -> Translation | None:
    """The other form of second-order growth with estimated item loadings, which nlme says."""
    if isinstance(ready.model, SemModel) and to != "nlme":
        return None
    found = item_forms(ready.model, ready.data, ready.facts)
    if found is None:
        return None
    own = "mixed" if isinstance(ready.model, SemModel) else "sem"
    target = speaker_of(to)
    model = found.mixed if own == "mixed" else replace(found.sem, estimator="ml", notation=to)
    written = target.write(model)
    _check_losses(written.losses, target.title, on_loss)
    seen = layout or given_layout(ready.model, ready.data, ready.facts)
    context = script_context(found.near, to, own, ready.file(given.path, seen))
    script = "" if written.losses else target.script(model, context)
    return Translation(
        written.text,
        script,
        model,
        found.parameters,
        written.losses,
        (*found.assumptions, *given.notes),
        with_computed(found.near),
    )


def _with_reason(error: GrowthmmError, notes: Sequence[Assumption]) -> GrowthmmError:
    """The error for facts that are missing, with why the data that the text names gave none."""
    unread = [note.why for note in notes if note.what == WITHOUT_DATA]
    if not (unread and isinstance(error, UnboundError)):
        return error
    hint = f"{error.hint} The data that the text names can't be used: {unread[0]}"
    return UnboundError(error.message, missing=error.missing, hint=hint)


def _named(read: Source) -> tuple[NamedData | None, tuple[Assumption, ...]]:
    """The data that the text of a file names, or a note why they are not there."""
    if read.folder is None:
        return None, ()
    found = named_source(read.text, read.model)
    if found is None:
        return None, ()
    try:
        data = named_data(found, read.folder)
    except DataError as error:
        return None, (Assumption(WITHOUT_DATA, error.message),)
    return data, (data.note,)


def _target(to: str) -> tuple[str, str]:
    """A notation, and the family that is asked of one that writes both: ``sas:sem``."""
    name, _, wanted = to.partition(":")
    target = speaker_of(name)
    if wanted.lower() not in ("", *families(target)):
        raise SpecificationError(
            f"{target.title} writes no models of the family {wanted.lower()!r}.",
            hint=f"Families: {', '.join(families(target))}.",
        )
    return name, wanted.lower()


def _told(model: MixedModel | SemModel, facts: Facts) -> MixedModel | SemModel:
    """The model with the columns of time and person that were named, for its residuals."""
    if not isinstance(model, MixedModel):
        return model
    known = model.residual
    person = known.person or (None if facts.id is None else quote(facts.id))
    return replace(model, residual=replace(known, time=facts.time or known.time, person=person))


def _lags_named(
    model: MixedModel | SemModel, data: object | None, facts: Facts
) -> tuple[MixedModel | SemModel, Schema | None, tuple[Assumption, ...]]:
    """The model with columns in place of ``lag(x)``, and what a script has to know of them."""
    if not isinstance(model, MixedModel) or not lag_calls(model):
        return model, None, ()
    frame = None if data is None else as_pandas(data)
    return with_named_lags(model, frame, id=facts.id, time=facts.time, known=facts.schema)


def _levels_known(
    model: MixedModel | SemModel, target: Notation, data: object | None, facts: Facts
) -> Schema | None:
    """The facts of the data, where the target has to be told which columns are categorical."""
    if not isinstance(model, MixedModel) or not numbers_unless_told(target):
        return None
    if facts.schema is not None or data is None or facts.layout == "wide":
        return facts.schema
    bound = bind_mixed(model, as_pandas(data), id=facts.id, time=facts.time, wide_form=False)
    return bound.schema


def _respell(
    model: MixedModel | SemModel,
    to: str,
    path: str | None,
    on_loss: OnLoss,
    schema: Schema | None = None,
) -> Translation:
    """The same model in another notation of its family."""
    target = speaker_of(to)
    if isinstance(model, MixedModel) and schema is not None and numbers_unless_told(target):
        model = with_categories(model, schema)
    written = target.write(model)
    _check_losses(written.losses, target.title, on_loss)
    layout: Layout = "long" if isinstance(model, MixedModel) else "wide"
    script = "" if written.losses else target.script(model, ScriptContext(path, layout, schema))
    notes = tuple(Assumption(f"{d.what} = {d.value}", d.rule) for d in model.defaults)
    return Translation(written.text, script, replace(model, notation=to), (), written.losses, notes)


def _other_form(
    pair: Pair, given: MixedModel | SemModel, to: str, file: DataFile, *, on_loss: OnLoss
) -> Translation:
    target = speaker_of(to)
    if isinstance(given, MixedModel):
        model, alone, note = _as_sem(pair, given, to)
    else:
        model, alone, note = _as_mixed(pair, target, to)
    notes = [*pair.assumptions, *note]
    written = target.write(alone)
    _check_losses(written.losses, target.title, on_loss)
    own = "sem" if isinstance(given, MixedModel) else "mixed"
    context = script_context(pair, to, own, file)
    if pair.growth.schema.series and to not in STACKING:
        form = "wide columns" if own == "sem" else "stacked rows"
        notes.append(
            Assumption(
                f"the script reads data that hold the outcomes as {form}",
                f"a {target.title} program here does not reshape several outcomes; gm.to_long and "
                "gm.to_wide with stack= do",
            )
        )
    script = "" if written.losses else target.script(model, context)
    return Translation(
        written.text,
        script,
        model,
        pair.parameters,
        written.losses,
        tuple(notes),
        with_computed(pair),
    )


Form = tuple[MixedModel | SemModel, MixedModel | SemModel, tuple[Assumption, ...]]
"""A model as a script fits it, as it is written alone, and what is said of its estimator."""


def _as_sem(pair: Pair, given: MixedModel, to: str) -> Form:
    model = replace(pair.sem.model, estimator="ml", notation=to)
    if given.estimator != "reml":
        return model, model, ()
    note = Assumption(
        "estimated by maximum likelihood",
        "the formula's program defaults to REML, which a structural equation program "
        "does not have; fit both by ML to compare",
    )
    return model, model, (note,)


def _as_mixed(pair: Pair, target: Notation, to: str) -> Form:
    model = replace(pair.mixed.model, estimator="ml", notation=to)
    # The text is the model alone: by which estimator is the program's affair.
    default: Estimator = "ml" if model.loading_parameters else "reml"
    if numbers_unless_told(target):
        model = with_categories(model, pair.mixed.schema)
    alone = replace(model, estimator=getattr(target, "default_estimator", default))
    note = Assumption(
        "estimated by maximum likelihood",
        "the structural equation model is; the formula's program must be told (REML = "
        "FALSE, reml=False)",
    )
    return model, alone, (note,)
