"""The commands that ask something of a fitted model, or plan one."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from growthmm.commands.argument import given
from growthmm.commands.facts import (
    fitted,
    held,
    named,
    notation,
    numbers,
    reading,
)
from growthmm.commands.output import Answer
from growthmm.errors import SpecificationError

__all__ = ["DOINGS", "intervals", "simulate", "study", "test", "variance"]


def test(chosen: argparse.Namespace) -> Answer:
    """Test terms, equations among parameters, random effects."""
    from growthmm.inference.hypotheses.terms import term_tests
    from growthmm.verbs.hypotheses import test as examine
    from growthmm.verbs.hypotheses import test_variance

    if chosen.exact and chosen.effects is None:
        raise SpecificationError(
            "--exact is of random effects, and none are named.", hint="Write --effects NAME."
        )
    fit = fitted(chosen)
    nothing_named = not chosen.hypotheses and chosen.effects is None
    sums = chosen.terms or ("III" if nothing_named else None)
    tests = [examine(fit, text, kind=chosen.kind) for text in chosen.hypotheses]
    terms = None if sums is None else term_tests(fit, sums)
    effects = None
    if chosen.effects is not None:
        effects = test_variance(
            fit,
            named(chosen.effects, "--effects"),
            method="exact" if chosen.exact else "mixture",
            n_simulations=chosen.n_simulations,
            seed=chosen.seed,
        )
    texts = [one.summary() for one in (*tests, terms, effects) if one is not None]
    values = {
        "tests": [one.to_dict() for one in tests],
        "terms": None if terms is None else terms.to_dict(),
        "effects": None if effects is None else effects.to_dict(),
    }
    return Answer(values, "\n\n".join(texts))


def intervals(chosen: argparse.Namespace) -> Answer:
    """Confidence intervals by one method."""
    table = fitted(chosen).confidence_intervals(
        chosen.method,
        level=chosen.level,
        kind=chosen.kind,
        interval=chosen.interval,
        n_simulations=chosen.n_simulations,
        seed=chosen.seed,
        workers=chosen.workers,
    )
    values = {"method": chosen.method, "level": chosen.level, "rows": table.to_dict("records")}
    text = table.to_string(index=False, float_format=lambda value: f"{value:.6g}")
    return Answer(values, f"{100 * chosen.level:g}% intervals by {chosen.method}\n{text}")


def variance(chosen: argparse.Namespace) -> Answer:
    """R2, its partition, the intraclass correlation."""
    from growthmm.errors import UnsupportedEngineError
    from growthmm.verbs.variance import icc, r2beta, r_squared

    fit = fitted(chosen)
    shares = r_squared(fit)
    parts = [shares.summary()]
    values: dict[str, Any] = {"r_squared": shares.to_dict(), "icc": None, "r2beta": None}
    try:
        ratio = icc(fit)
    except UnsupportedEngineError as error:
        # A model of several outcomes has R2 by variable, and no one ICC.
        parts.append(f"No intraclass correlation: {error}")
    else:
        values["icc"] = ratio.to_dict()
        parts.append(ratio.summary())
    if chosen.r2beta is not None:
        table = r2beta(fit, chosen.r2beta)
        values["r2beta"] = table.to_dict("records")
        parts.append(table.round(4).to_string(index=False))
    return Answer(values, "\n\n".join(parts))


def simulate(chosen: argparse.Namespace) -> Answer:
    """Draw a sample."""
    from growthmm.verbs.simulate import simulate as draw

    sizes = _sizes(chosen)
    if len(sizes) > 1:
        raise SpecificationError(
            f"One sample has one number of persons, not {chosen.n_subjects}.",
            hint="Write --n-subjects 50.",
        )
    model, options = _truth(chosen)
    frame = draw(model, sizes[0], seed=chosen.seed, **options)
    rows = frame.to_dict("records") if chosen.json else []
    return Answer({"rows": rows}, frame.to_csv(index=False))


def study(chosen: argparse.Namespace) -> Answer:
    """Draw and fit many samples."""
    from growthmm.verbs.simulate import study as investigate

    sizes = _sizes(chosen)
    model, options = _truth(chosen)
    if chosen.data is None and chosen.estimator is not None:
        options["estimator"] = chosen.estimator
    found = investigate(
        model,
        sizes[0] if len(sizes) == 1 else [size for size in sizes if size is not None],
        n_simulations=chosen.n_simulations,
        df=chosen.df,
        level=chosen.level,
        seed=chosen.seed,
        workers=chosen.workers,
        **options,
    )
    values = found.to_dict()
    return Answer(values if "studies" in values else {"studies": [values]}, found.summary())


def _sizes(chosen: argparse.Namespace) -> list[int | None]:
    found = numbers(chosen.n_subjects, "--n-subjects")
    if found is None:
        return [None]
    if any(size != int(size) for size in found):
        raise SpecificationError(
            f"--n-subjects {chosen.n_subjects!r} is no number of persons.",
            hint="Write --n-subjects 50.",
        )
    return [int(size) for size in found]


def _truth(chosen: argparse.Namespace) -> tuple[Any, dict[str, Any]]:
    """A fit to ``--data``, or the model itself with its design, and the arguments beside it."""
    parameters = held(chosen.parameter, "--parameter")
    own = {"--design": chosen.design, "--covariate": chosen.covariate}
    if chosen.data is not None or chosen.moments is not None:
        beside = [flag for flag, value in own.items() if value is not None]
        if beside:
            raise SpecificationError(
                f"{' and '.join(beside)} are of a bare model, and --data of one that is fitted.",
                hint="Leave one of them out; times and covariates of data are kept.",
            )
        chosen.bin = chosen.mundlak = None
        return fitted(chosen), {"parameters": parameters}
    model = given(chosen.model)
    for flag, value in (("--fixed", chosen.fixed), ("--bounds", chosen.bounds)):
        if value is not None:
            raise SpecificationError(
                f"{flag} is of the fit to --data, and there is none.",
                hint="Say what is true by --parameter NAME=VALUE.",
            )
    return model.text, {
        "parameters": parameters,
        "data": chosen.design,
        "id": chosen.id,
        "time": chosen.time,
        "time_values": numbers(chosen.time_values),
        "covariates": _covariates(chosen.covariate),
        "notation": notation(chosen, model),
        **reading(chosen, model),
    }


def _covariates(pieces: list[str] | None) -> dict[str, list[Any]] | None:
    """Values by name; numbers where all of a name's values are."""
    if pieces is None:
        return None
    made: dict[str, list[Any]] = {}
    for piece in pieces:
        name, mark, text = piece.partition("=")
        values: list[Any] = [value.strip() for value in text.split(",") if value.strip()]
        if not mark or not name.strip() or not values:
            raise SpecificationError(
                f"--covariate {piece!r} is no name and values.",
                hint="Write --covariate sex=female,male.",
            )
        with suppress(ValueError):
            values = [float(value) for value in values]
        made[name.strip()] = values
    return made


DOINGS: dict[str, Callable[[argparse.Namespace], Answer]] = {
    "test": test,
    "intervals": intervals,
    "variance": variance,
    "simulate": simulate,
    "study": study,
}
"""What each of these commands does."""
