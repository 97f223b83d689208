"""What is done to a model and its data on request before anything else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from growthmm.data.binning import bin_times
from growthmm.data.frames import as_pandas
from growthmm.data.moments import Moments
from growthmm.errors import SpecificationError
from growthmm.model.defaults import Assumption
from growthmm.model.mixed import MixedModel
from growthmm.model.sem import SemModel
from growthmm.translation.scripts.context import DataFile
from growthmm.verbs.binding import Facts, Layout, layout_of, paired, with_lags
from growthmm.verbs.person_means import with_person_means
from growthmm.verbs.rounding import Bins, Rounded, rounded

__all__ = ["Prepared", "prepared"]


@dataclass(frozen=True)
class Prepared:
    """A model and its data as they are used.

    Parameters
    ----------
    model : MixedModel or SemModel
        The model, with what was added.
    data : object
        The data, with what was computed.
    notes : tuple of Assumption
        What was done.
    rounding : Rounded, optional
        The data before and after rounding of times.
    means : tuple of (str, str)
        Columns of person means, and of what.
    facts : Facts
        What was said about the data, as they now are.
    """

    model: MixedModel | SemModel
    data: object | None
    notes: tuple[Assumption, ...] = ()
    rounding: Rounded | None = None
    means: tuple[tuple[str, str], ...] = ()
    facts: Facts = field(default_factory=Facts)

    def with_lags(self) -> Prepared:
        """With the columns of earlier values that a mixed model has in its formula."""
        if not isinstance(self.model, MixedModel) or isinstance(self.data, Moments):
            return self
        frame = None if self.data is None else as_pandas(self.data)
        model, made, facts = with_lags(self.model, frame, self.facts)
        return self if made is frame else replace(self, model=model, data=made, facts=facts)

    def file(self, path: str | None, layout: Layout | None) -> DataFile:
        """The data file as a program finds it, with what was done to the data since."""
        bins = () if self.rounding is None else self.rounding.binned.bins
        return DataFile(path, layout, bins, self.means)


def prepared(
    model: MixedModel | SemModel,
    data: object | None,
    facts: Facts,
    bins: Bins | None,
    mundlak: Sequence[str] | None,
) -> Prepared:
    """Add person means and round times, where that was asked for.

    Parameters
    ----------
    model : MixedModel or SemModel
        The model as read.
    data : data frame or path
        Its data.
    facts : Facts
        What was said about them.
    bins : float or sequence of float, optional
        Width of the bins, or the occasions, to which individual times are rounded.
    mundlak : sequence of str, optional
        Covariates whose person means are added.

    Raises
    ------
    SpecificationError
        If the request does not fit the model, or there are no data.
    DataError
        If it does not fit the data.
    """
    made = Prepared(model, data, facts=facts)
    if isinstance(model, SemModel) and data is not None and (bins is not None or mundlak):
        made = _in_long_form(model, data, facts, bins)
        assert isinstance(made.model, MixedModel)
        model, data, facts = made.model, made.data, made.facts
    if mundlak:
        if isinstance(mundlak, str):
            raise SpecificationError(
                f"mundlak={mundlak!r} is one text.", hint=f"Write mundlak=[{mundlak!r}]."
            )
        means = with_person_means(model, data, mundlak, facts.id)
        made = replace(
            made,
            model=means.model,
            data=means.frame,
            notes=(*made.notes, *means.notes),
            means=means.columns,
        )
    if bins is not None:
        rounding = rounded(made.model, made.data, facts, bins)
        why = "asked for with bin=: an approximation, verify shows the error it makes"
        note = Assumption(rounding.note, why)
        made = replace(
            made, data=rounding.binned.frame, notes=(*made.notes, note), rounding=rounding
        )
    return made


def _in_long_form(model: SemModel, data: object, facts: Facts, bins: Bins | None) -> Prepared:
    """The mixed form of a growth curve with its data in the long layout.

    Times and means of persons are those of rows, whatever layout the data come in. Individual
    times are told from the curve's occasions once they are rounded.
    """
    given = as_pandas(data)
    rounding = bins is not None and layout_of(model, given, facts) == "long"
    at_bins = given
    if bins is not None and rounding and facts.id is not None and facts.time is not None:
        outcome = [facts.outcome] if facts.outcome and facts.outcome in given.columns else []
        at_bins = bin_times(given, id=facts.id, time=facts.time, outcome=outcome, bins=bins).frame
    pair, frame = paired(model, at_bins, facts)
    schema = pair.mixed.schema
    why = "what bin= and mundlak= do is done to the rows of long data"
    note = Assumption("the growth curve is taken in its mixed form", why)
    own = Facts(schema.person, schema.time, schema.outcome)
    assert frame is not None
    rows = given[given.index.isin(frame.index)] if rounding else frame
    return Prepared(pair.mixed.model, rows, (*pair.assumptions, note), facts=own)
