"""A paragraph for the methods section of a paper, with what it cites."""

from __future__ import annotations

from growthmm.equivalence.result import Equivalence

__all__ = ["methods_paragraph", "own_version"]

_SOURCES = {
    "statsmodels": "Seabold & Perktold (2010, doi:10.25080/Majora-92bf1922-011)",
    "semopy": "Igolkina & Meshcheryakov (2020, doi:10.1080/10705511.2019.1704289)",
    "lme4": "Bates et al. (2015, doi:10.18637/jss.v067.i01)",
    "nlme": "Pinheiro & Bates (2000, doi:10.1007/b98882)",
    "glmmtmb": "Brooks et al. (2017, doi:10.32614/RJ-2017-066)",
    "lavaan": "Rosseel (2012, doi:10.18637/jss.v048.i02)",
    "openmx": "Neale et al. (2016, doi:10.1007/s11336-014-9435-8)",
}

_ENDINGS = {
    "identical": "The two fits are identical",
    "identical_if": "The two fits are identical under the conditions named below",
    "nested": "One of the models is nested in the other",
    "approximate": "The fits agree approximately",
    "different_estimator": "The fits differ in how they were estimated",
    "not_representable": "The model is no linear mixed model",
    "different": "The two fits differ",
}


def own_version() -> str:
    """The version of growthmm; "unreleased" where it runs without being installed."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("growthmm")
    except PackageNotFoundError:
        return "unreleased"


def methods_paragraph(result: Equivalence) -> str:
    """What was fitted, by what, and how the equivalence was judged.

    Parameters
    ----------
    result : Equivalence
        The verification.

    Returns
    -------
    str
        A paragraph, ready to paste.
    """
    fit, schema = result.mixed_fit, result.pair.growth.schema
    how = "full-information maximum likelihood" if fit.estimator == "ml" else "REML"
    n_times = len(set(schema.occasions))
    times = f" at {n_times} occasions" if schema.shared_times and n_times else ""
    factors = ", ".join(f.name for f in result.pair.growth.factors)
    text = (
        f"A growth model of {schema.outcome} with growth factors {factors} was specified as a "
        "linear mixed model on long data and as a latent growth curve on wide data, which under "
        "conditions are one model (Bauer, 2003, doi:10.3102/10769986028002135; Curran, 2003, "
        "doi:10.1207/s15327906mbr3804_5). Both forms were estimated by "
        f"{how} from {fit.n_rows} outcomes of {fit.n_subjects} persons{times} with growthmm "
        f"{own_version()}, by two engines that share no likelihood (log-likelihood "
        f"{fit.log_likelihood:.3f} and {result.sem_fit.log_likelihood:.3f}, "
        f"{fit.n_parameters} parameters). "
    )
    held = [level.name for level in result.levels if level.passed]
    text += f"{_ENDINGS.get(result.verdict, result.verdict)}: {result.reason.rstrip('.')}. "
    if held:
        text += f"Evidence held at the levels {', '.join(held)}. "
    witnesses = [
        f"{r.name} {r.version}".strip() + f", {_SOURCES[r.name]}"
        for r in result.reports
        if r.used and r.name in _SOURCES
    ]
    if witnesses:
        text += f"The estimates were reproduced by {'; '.join(witnesses)}. "
    if result.conditions:
        text += f"Conditions: {'; '.join(result.conditions)}."
    return text.strip()
