"""What each command does: read the flags, call the verb, hand over the answer."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from growthmm.commands.argument import Given, given
from growthmm.commands.facts import (
    data_of,
    facts,
    fitted,
    held,
    named,
    notation,
    option,
    preparing,
    reading,
)
from growthmm.commands.inferring import DOINGS
from growthmm.commands.output import Answer, check_target, deliver
from growthmm.errors import SpecificationError
from growthmm.progress import showing, tracked

if TYPE_CHECKING:
    from growthmm.equivalence.not_representable import NotRepresentable
    from growthmm.equivalence.result import Equivalence

__all__ = [
    "alternatives",
    "compare",
    "defaults",
    "demo",
    "diagnose",
    "engines",
    "explain",
    "fit",
    "missing",
    "perform",
    "report",
    "reshape",
    "translate",
    "verify",
]


def perform(chosen: argparse.Namespace) -> int:
    """Do what a command line says and print or write the answer.

    Parameters
    ----------
    chosen : Namespace
        As :func:`growthmm.commands.parser.parse` makes it.

    Returns
    -------
    int
        The exit status.

    Raises
    ------
    GrowthmmError
        If the call or the input is bad.
    """
    check_target(chosen.output)
    with showing(False if chosen.no_progress else None):
        answer = ACTIONS[chosen.command](chosen)
    return deliver(answer, chosen)


def demo(chosen: argparse.Namespace) -> Answer:
    """The main job on the built-in GPA data."""
    from growthmm import datasets
    from growthmm.rendering import render
    from growthmm.verbs.translate import translate as carry
    from growthmm.verbs.verify import verify as judge

    formula = "gpa ~ occasion + (1 + occasion | student)"
    data = datasets.gpa()
    made = carry(formula, "lavaan", data=data)
    result = judge(formula, data)
    status = 0 if result.identical else 1
    if chosen.json:
        return Answer({"translation": made.to_dict()} | result.to_dict(), "", status)
    values = dict(zip(result.sem_fit.fit.names, result.sem_fit.fit.estimates.tolist(), strict=True))
    lines = [
        "The built-in GPA data (synthetic; same means and covariances as the original):",
        f"{data['student'].nunique()} students, {len(data)} rows",
        "",
        "Mixed model (lme4)",
        f"  {formula}",
        "",
        "The same model as a latent growth curve (lavaan)",
        *("  " + line for line in made.text.splitlines()),
        "",
        "Path diagram, with estimates",
        *("  " + line for line in render("sem.diagram", result.sem_fit.model, values).splitlines()),
        "",
        result.summary(),
    ]
    return Answer({}, "\n".join(lines), status)


def translate(chosen: argparse.Namespace) -> Answer:
    """Carry a model over to another notation."""
    from growthmm.report.text_table import paragraph, table
    from growthmm.verbs.translate import translate as carry

    model = given(chosen.model)
    made = carry(
        model.text,
        chosen.to,
        data=data_of(chosen, required=False),
        notation=notation(chosen, model),
        estimator=option(chosen, model, "estimator"),
        **preparing(chosen),
        **reading(chosen, model),
        **facts(chosen),
    )
    if chosen.script:
        return Answer(made.to_dict(), made.script)
    lines = [made.text.rstrip("\n")]
    if made.parameter_rows:
        rows = [[r.mixed_name, r.sem_name, r.rule] for r in made.parameter_rows]
        lines += ["", table(["mixed", "SEM", "rule"], rows, left=3)]
    if made.assumptions:
        lines += ["", *(paragraph(f"Assumed: {note}") for note in made.assumptions)]
    if made.defaults:
        from growthmm.report.texts.defaults import defaults_text

        lines += ["", defaults_text(made.defaults)]
    return Answer(made.to_dict(), "\n".join(lines))


def defaults(chosen: argparse.Namespace) -> Answer:
    """List the defaults on which two programs differ."""
    from growthmm.report.texts.defaults import defaults_text
    from growthmm.verbs.defaults import defaults as listed

    model = given(chosen.model)
    rows = listed(
        model.text,
        chosen.to,
        notation=notation(chosen, model),
        estimator=option(chosen, model, "estimator"),
        **reading(chosen, model),
        **facts(chosen),
    )
    text = defaults_text(rows) if rows else "The target shares every default of the source."
    return Answer({"defaults": [asdict(row) for row in rows]}, text)


def reshape(chosen: argparse.Namespace) -> Answer:
    """Long data to wide, or wide to long."""
    from growthmm.data.frames import as_pandas
    from growthmm.data.reshape import to_long, to_wide

    if chosen.to not in ("wide", "long"):
        raise SpecificationError(
            f"There is no layout {chosen.to!r}.", hint="Use --to wide or --to long."
        )
    turn: Callable[..., Any] = to_wide if chosen.to == "wide" else to_long
    frame = turn(
        as_pandas(chosen.data),
        id=chosen.id,
        time=chosen.time,
        values=named(chosen.values, "--values"),
        names=chosen.names,
        stack=chosen.stack,
    )
    content = None
    if chosen.output is not None and chosen.output.lower().endswith((".parquet", ".pq")):
        content = _parquet(frame)
    rows = frame.to_dict("records") if chosen.json else []
    return Answer({"rows": rows}, frame.to_csv(index=False), content=content)


def _parquet(frame: Any) -> bytes:
    try:
        content: bytes = frame.to_parquet(index=False)
    except ImportError:
        raise SpecificationError(
            "Writing Parquet needs pyarrow, which is not installed.",
            hint="pip install pyarrow, or write CSV.",
        ) from None
    return content


def fit(chosen: argparse.Namespace) -> Answer:
    """Fit a model by one engine."""
    result = fitted(chosen)
    return Answer(result.to_dict(), result.summary())


def verify(chosen: argparse.Namespace) -> Answer:
    """Translate, fit both forms, judge by evidence."""
    model = given(chosen.model)
    if chosen.against is not None:
        _check_time_limit(chosen)
        return _against(chosen, model)
    result = _verified(chosen, model)
    return Answer(result.to_dict(), result.summary(), 0 if result.identical else 1)


def _check_time_limit(chosen: argparse.Namespace) -> None:
    if not chosen.time_limit > 0:
        raise SpecificationError(
            f"A time limit of {chosen.time_limit:g} s leaves no time.",
            hint="Give seconds above 0: --time-limit 60.",
        )


def _verified(chosen: argparse.Namespace, model: Given) -> Equivalence | NotRepresentable:
    """The verification that a command line asks for."""
    from growthmm.verbs.verify import verify as judge

    _check_time_limit(chosen)
    found: Equivalence | NotRepresentable = judge(
        model.text,
        data_of(chosen),
        engines=None if chosen.engines is None else named(chosen.engines, "--engines"),
        estimator=option(chosen, model, "estimator"),
        bounds=option(chosen, model, "bounds"),
        notation=notation(chosen, model),
        time_limit=chosen.time_limit,
        fixed=held(chosen.fixed),
        **preparing(chosen),
        **reading(chosen, model),
        **facts(chosen),
    )
    return found


def report(chosen: argparse.Namespace) -> Answer:
    """Verify a model and make a page of it."""
    if chosen.output is None and not chosen.json:
        raise SpecificationError(
            "growthmm report makes a page, and no file is named for it.",
            hint="Name one: --output report.html.",
        )
    result = _verified(chosen, given(chosen.model))
    status = 0 if result.identical else 1
    page = None if chosen.json else result.to_html().encode()
    return Answer(result.to_dict(), "", status, content=page)


def _against(chosen: argparse.Namespace, model: Given) -> Answer:
    """Compare with what another program printed."""
    from growthmm.verbs.verify import verify as judge

    if chosen.engines is not None:
        raise SpecificationError(
            "Both --engines and --against are given.",
            hint="Printed results are compared with growthmm's own engines; leave --engines out.",
        )
    result = judge(
        model.text,
        data_of(chosen),
        against=Path(chosen.against),
        estimator=option(chosen, model, "estimator"),
        bounds=option(chosen, model, "bounds"),
        notation=notation(chosen, model),
        **reading(chosen, model),
        **facts(chosen),
    )
    return Answer(result.to_dict(), result.summary(), 0 if result.agrees else 1)


def compare(chosen: argparse.Namespace) -> Answer:
    """Likelihood-ratio tests and information criteria."""
    from growthmm.data.frames import as_pandas
    from growthmm.verbs.compare import compare as weigh
    from growthmm.verbs.fit import fit as estimate

    if len(chosen.models) < 2:
        raise SpecificationError(
            "One model was given to compare.", hint="Give two or more, each in quotes."
        )
    data = data_of(chosen)
    if isinstance(data, str):
        data = as_pandas(data)
    sides = [(chosen.from_a, chosen.estimator_a), (chosen.from_b, chosen.estimator_b)]
    sides += [(None, None)] * len(chosen.models)
    fits = []
    wanted = list(zip(chosen.models, sides, strict=False))
    for text, (written, estimator) in tracked(wanted, "models"):
        model = given(text)
        fits.append(
            estimate(
                model.text,
                data,
                engine=chosen.engine,
                estimator=model.options.get("estimator", estimator or chosen.estimator),
                bounds=option(chosen, model, "bounds"),
                notation=model.options.get("from", written or chosen.from_),
                **reading(chosen, model),
                **facts(chosen),
            )
        )
    result = weigh(*fits, refit=chosen.refit)
    values, text = result.to_dict(), result.summary()
    if chosen.conditional:
        table = result.conditional()
        values["conditional"] = table.to_dict("records")
        shown = table.round(3).assign(model=[row.name for row in result.rows])
        text += f"\n\nConditional AIC\n{shown.to_string(index=False)}"
    if chosen.folds is not None:
        from growthmm.inference.cross_validation import cross_validate
        from growthmm.inference.short_names import short_names

        table = cross_validate(*fits, n_folds=chosen.folds, seed=chosen.seed)
        values["cross_validation"] = table.to_dict("records")
        shown = table.round(4).assign(model=list(map(str, short_names([f.label for f in fits]))))
        text += f"\n\nCross-validation by person\n{shown.to_string(index=False)}"
    return Answer(values, text)


def explain(chosen: argparse.Namespace) -> Answer:
    """Why two analyses give different numbers."""
    from growthmm.commands.explaining import explained

    return explained(chosen, data_of(chosen, required=False), facts(chosen))


def diagnose(chosen: argparse.Namespace) -> Answer:
    """Fit a model and look the fit over."""
    from growthmm.verbs.diagnose import diagnose as look

    found = look(fitted(chosen), influence=chosen.influence)
    return Answer(found.to_dict(), found.summary(), 1 if found.status == "problem" else 0)


def missing(chosen: argparse.Namespace) -> Answer:
    """Look at missing data."""
    from growthmm.commands.looking import looked_at_missing

    return looked_at_missing(chosen, *_looked_at(chosen))


def alternatives(chosen: argparse.Namespace) -> Answer:
    """Set other estimators beside the mixed model."""
    from growthmm.commands.looking import set_beside

    return set_beside(*_looked_at(chosen))


def _looked_at(chosen: argparse.Namespace) -> tuple[Given, Any, dict[str, Any]]:
    """Model, data and options of a command that fits for itself."""
    model = given(chosen.model)
    options = {
        "estimator": option(chosen, model, "estimator"),
        "notation": notation(chosen, model),
        **reading(chosen, model),
        **facts(chosen),
    }
    return model, data_of(chosen), options


def engines(chosen: argparse.Namespace) -> Answer:  # noqa: ARG001
    """List the engines and whether they can run."""
    from growthmm.engines.registry import states
    from growthmm.report.text_table import table

    found = states()
    rows = [
        [s.name, s.family, "yes" if s.installed else "no", s.version, s.reason or s.title]
        for s in found
    ]
    text = table(["engine", "fits", "installed", "version", "note"], rows, left=4, note=True)
    return Answer({"engines": [asdict(s) for s in found]}, text)


ACTIONS: dict[str, Callable[[argparse.Namespace], Answer]] = {
    "demo": demo,
    "translate": translate,
    "defaults": defaults,
    "reshape": reshape,
    "fit": fit,
    "verify": verify,
    "report": report,
    "compare": compare,
    "diagnose": diagnose,
    "explain": explain,
    "missing": missing,
    "alternatives": alternatives,
    "engines": engines,
    **DOINGS,
}
"""What every command of :data:`growthmm.commands.parser.COMMANDS` does."""
