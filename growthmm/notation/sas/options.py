"""The options of PROC MIXED and PROC CALIS statements: those that matter, those that do not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from growthmm.notation.command_languages.names import words
from growthmm.notation.command_languages.tokens import error_at
from growthmm.notation.sas.syntax import Option

__all__ = [
    "CALIS_OPTIONS",
    "CALIS_REFUSED",
    "CALIS_SILENT",
    "MODEL_OPTIONS",
    "PROC_OPTIONS",
    "RANDOM_OPTIONS",
    "REFUSED_STATEMENTS",
    "REPEATED_OPTIONS",
    "SILENT_STATEMENTS",
    "OptionTable",
    "options",
]

OptionTable = Mapping[str, str]
"""What is done with each option: ``means``, ``silent``, ``=other name``, or why it is refused."""


def _table(
    means: str, silent: str, refused: Mapping[str, str], alias: Mapping[str, str]
) -> OptionTable:
    return {
        **dict.fromkeys(means.split(), "means"),
        **dict.fromkeys(silent.split(), "silent"),
        **refused,
        **{short: f"={long}" for short, long in alias.items()},
    }


PROC_OPTIONS = _table(
    "data method nobound",
    "covtest cl ic info itdetails maxiter maxfunc convf convg convh noclprint noitprint noinfo "
    "noprofile order scoring lognote mmeq mmeqsol plots plot ratio alpha asycov asycorr singchol "
    "singres singular update namelen dfbw ordinal absolute relative rankz",
    {
        "empirical": "Fit with robust standard errors instead: robust=.",
        "anovaf": "Leave it out.",
    },
    {},
)
MODEL_OPTIONS = _table(
    "noint ddfm ddf",
    "solution s cl chisq covb corrb alpha alphap htype e e1 e2 e3 intercept lcomponents notest "
    "outp outpm outpred outpredm residual influence vciry xpvix xpvixi covbi fullx singular "
    "singchol singres zeta",
    {},
    {},
)
RANDOM_OPTIONS = _table(
    "subject type group",
    "g gc gci gcorr gi solution s cl alpha v vc vci vcorr vi nofullz ratio",
    {
        "gdata": "Only estimated covariances are supported.",
        "ldata": "Only estimated covariances are supported.",
    },
    {"sub": "subject"},
)
REPEATED_OPTIONS = _table(
    "subject type group local",
    "r rc rci rcorr ri hlm hlps sscp",
    {"localw": "Weights are not supported.", "nolocal": "Leave it out.", "ldata": "Leave it out."},
    {"sub": "subject"},
)
CALIS_OPTIONS = _table(
    "data method vardef meanstr",
    "cov covariance modification mod print pall short summary psummary residual res nobs noprint "
    "maxiter maxfunc tech technique omethod omet gconv fconv absgconv xconv simple pcorr stderr "
    "noadddefault effpart toteff pestim plots plot nomod start inest outest outmodel pinitial "
    "kurtosis extendpath estdata bootstrap noindextype alphaecv alpharms",
    {
        "corr": "Analyse covariances, with means.",
        "correlation": "Analyse covariances, with means.",
        "nomeanstr": "Growth models are about means.",
        "ucov": "Analyse covariances, with means.",
        "augment": "Analyse covariances, with means.",
        "noint": "Fix intercepts one by one.",
        "robust": "Fit with robust standard errors instead: robust=.",
        "noexogcov": "Write the covariances out.",
    },
    {"means": "meanstr", "meanstructure": "meanstr", "met": "method", "divisor": "vardef"},
)
CALIS_REFUSED = {
    "group": "Give a model of one group.",
    "model": "Give a model of one group.",
    "refmodel": "Write the model out.",
    "renameparm": "Write the model out.",
    "factor": "Write the loadings in PATH or LINEQS.",
    "ram": "Write the paths in PATH or LINEQS.",
    "lismod": "Write the paths in PATH or LINEQS.",
    "mstruct": "Write the paths in PATH or LINEQS.",
    "cosan": "Write the paths in PATH or LINEQS.",
    "nlincon": "Only linear constraints (LINCON) are supported.",
    "parameters": "Label parameters where they stand.",
    "parms": "Label parameters where they stand.",
    "testfunc": "Compute functions of parameters after the fit.",
    "weight": "Leave it out.",
    "freq": "Write each row out.",
    "by": "Fit one group at a time.",
    "where": "Select the rows in the data before the model.",
    "partial": "Regress on the variables in the model.",
    "strict": "Leave it out.",
}
CALIS_SILENT = words(
    "proc fitindex outfiles effpart std structeq simtests lmtests ods title title1 title2 footnote "
    "label format id"
)
SILENT_STATEMENTS = words(
    "class contrast estimate lsmeans lsmestimate slice store ods title title1 title2 title3 "
    "footnote label format id test output"
)
REFUSED_STATEMENTS = {
    "where": "Select the rows in the data before the model.",
    "by": "Fit one group at a time.",
    "weight": "Rows with weights of their own have no growth curve; leave it out.",
    "freq": "Write each row out.",
    "prior": "Only maximum likelihood is supported.",
}


def options(
    text: str, given: Sequence[Option], table: OptionTable, statement: str
) -> dict[str, Option]:
    """The options that mean something, by their full names.

    Parameters
    ----------
    text : str
        The program, for errors.
    given : sequence of Option
        The options of a statement.
    table : mapping of str to str
        What is done with each.
    statement : str
        Whose they are, for errors.

    Raises
    ------
    NotationError
        If one is unknown, refused, or given twice.
    """
    found: dict[str, Option] = {}
    for option in given:
        word = option.word
        meaning = table.get(word)
        if meaning is None:
            near = _near(word, table)
            raise error_at(
                text,
                option.token,
                f"{statement} has no option {option.token.text[:40]!r} that is known",
                hint=f"Did you mean {near.upper()}?" if near else None,
            )
        if meaning.startswith("="):
            word, meaning = meaning[1:], table[meaning[1:]]
        if meaning not in ("means", "silent"):
            shown = f"{statement}: {word.upper()} is not supported"
            raise error_at(text, option.token, shown, hint=meaning)
        if meaning == "means":
            if word in found:
                shown = f"{statement}: {word.upper()} is given twice"
                raise error_at(text, option.token, shown)
            found[word] = option
    return found


def _near(word: str, table: OptionTable) -> str | None:
    from difflib import get_close_matches

    near = get_close_matches(word[:60], table, n=1)
    return near[0] if near else None
