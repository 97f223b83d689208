"""What the commands VARIABLE, DATA and ANALYSIS of an Mplus input say."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from growthmm.model.defaults import Default
from growthmm.notation.mplus.lists import listed
from growthmm.notation.mplus.tables import ESTIMATORS, REFUSED, REFUSED_TYPES, TYPES, WITHOUT_EFFECT
from growthmm.notation.mplus.text import Command, Statement, error_at, statements

__all__ = ["Options", "read_options"]

Information = Literal["expected", "observed"]


@dataclass(frozen=True, slots=True)
class Options:
    """What an input says outside MODEL.

    Parameters
    ----------
    file : str, optional
        The data file (DATA: FILE).
    names : tuple of str
        Its columns (VARIABLE: NAMES).
    use : tuple of str
        The columns analysed (USEVARIABLES); empty where not said.
    missing : str
        Codes of missing values, as written (``"ALL (-99)"``); empty where not said.
    group_variable : str, optional
        GROUPING's column.
    groups : tuple of (str, str)
        Its values, each with the name that MODEL uses.
    tscores : tuple of str
        Columns of individual times.
    cluster : str, optional
        CLUSTER's column.
    within, between : tuple of str
        Columns that stand at one level alone.
    two_levels : bool
        Whether TYPE = TWOLEVEL.
    created : tuple of str
        Columns that DEFINE computes, or DATA LONGTOWIDE.
    listwise : bool
        Whether incomplete persons are dropped.
    information : {"expected", "observed"}
        The information matrix.
    no_covariances : bool
        Whether no covariance is free by default (MODEL = NOCOVARIANCES).
    notes : tuple of Default
        What else was said or left to a default.
    """

    file: str | None = None
    names: tuple[str, ...] = ()
    use: tuple[str, ...] = ()
    missing: str = ""
    group_variable: str | None = None
    groups: tuple[tuple[str, str], ...] = ()
    tscores: tuple[str, ...] = ()
    cluster: str | None = None
    within: tuple[str, ...] = ()
    between: tuple[str, ...] = ()
    two_levels: bool = False
    created: tuple[str, ...] = ()
    listwise: bool = False
    information: Information = "observed"
    no_covariances: bool = False
    notes: tuple[Default, ...] = ()


_OPTION = re.compile(r"([^\W\d]\w*)\s*(?:=|(?:IS|ARE)\b)?\s*(.*)", re.S | re.I)


@dataclass(frozen=True, slots=True)
class _Option:
    word: str
    name: str
    value: str
    at: int
    value_at: int


Handler = Callable[[Options, _Option, str], Options]


def read_options(commands: list[Command], text: str, blanked: str) -> Options:
    """Interpret VARIABLE, DATA, DEFINE and ANALYSIS.

    Parameters
    ----------
    commands : list of Command
        All commands of the input.
    text, blanked : str
        The input, and the same without comments.

    Raises
    ------
    NotationError
        At what is unknown or not supported.
    """
    result = Options()
    estimator = None
    types: frozenset[str] = frozenset()
    cluster_at = 0
    # DEFINE and lists need NAMES, wherever it stands.
    order = {"VARIABLE": 0, "DATA": 1, "DEFINE": 2, "ANALYSIS": 3}
    bodies = sorted((c for c in commands if c.name in order), key=lambda c: order[c.name])
    for command in bodies:
        if command.name == "DATA" and command.argument.upper() == "LONGTOWIDE":
            for statement in statements(blanked, command.start, command.end):
                result = _long_to_wide(result, statement, text)
            continue
        if command.argument:
            raise error_at(
                text,
                command.position,
                f"{command.name} {command.argument} is not supported.",
                hint="Bring the data into the form that the model analyses.",
            )
        said = statements(blanked, command.start, command.end)
        if command.name == "VARIABLE":
            said.sort(key=lambda s: 0 if s.text[:4].upper() == "NAME" else 1)
        for statement in said:
            if command.name == "DEFINE":
                result = _define(result, statement, text)
                continue
            option = _option(command.name, statement, text)
            if option is None:
                continue
            if option.name == "CLUSTER":
                cluster_at = option.at
            if option.name == "ESTIMATOR":
                estimator = _estimator(option, text)
            elif option.name == "TYPE" and command.name == "ANALYSIS":
                types |= _types(option, text)
            else:
                result = _HANDLERS[command.name][option.name](result, option, text)
    if result.cluster is not None and "TWOLEVEL" not in types:
        raise error_at(
            text,
            cluster_at,
            "CLUSTER without TYPE = TWOLEVEL only corrects standard errors.",
            hint="Write TYPE = TWOLEVEL and both levels, or fit with robust= and cluster=.",
        )
    notes = (*_notes(result, estimator, types), *result.notes)
    return replace(result, two_levels="TWOLEVEL" in types, notes=notes)


def _option(command: str, statement: Statement, text: str) -> _Option | None:
    match = _OPTION.fullmatch(statement.text)
    if match is None:
        raise error_at(text, statement.position, f"This is no option of {command}.")
    word = match[1].upper()
    own = {
        "VARIABLE": tuple(_HANDLERS["VARIABLE"]),
        "DATA": tuple(_HANDLERS["DATA"]),
        "ANALYSIS": (*_HANDLERS["ANALYSIS"], "TYPE", "ESTIMATOR"),
    }[command]
    refused = REFUSED[command]
    known = (*own, *refused, *WITHOUT_EFFECT[command])
    name = word if word in known else None
    if name is None and len(word) >= 4:
        name = next((option for option in known if option.startswith(word)), None)
    if name is None:
        from difflib import get_close_matches

        near = get_close_matches(word, known, n=1)
        raise error_at(
            text,
            statement.position,
            f"{match[1]} is no option of {command}.",
            hint=f"Did you mean {near[0]}?" if near else "Options may be cut to four letters.",
        )
    if name == "DISTRIBUTION" and match[2].strip().upper() == "NORMAL":
        return None
    if name in refused and name not in own:
        raise error_at(
            text, statement.position, f"{command}: {name} is not supported.", hint=refused[name]
        )
    if name in WITHOUT_EFFECT[command]:
        return None
    return _Option(
        match[1], name, match[2], statement.position, statement.position + match.start(2)
    )


def _names(result: Options, option: _Option, text: str) -> Options:
    names = [name for name, _ in listed(option.value, option.value_at, (), text)]
    twice = next((n for k, n in enumerate(names) if n.lower() in map(str.lower, names[:k])), None)
    if twice is not None:
        raise error_at(text, option.at, f"NAMES has {twice} twice.")
    return replace(result, names=tuple(names))


def _use(result: Options, option: _Option, text: str) -> Options:
    if option.value.strip().upper() in ("ALL", "_ALL"):
        return replace(result, use=result.names)
    names = listed(option.value, option.value_at, result.names, text)
    return replace(result, use=tuple(name for name, _ in names))


def _missing(result: Options, option: _Option, _: str) -> Options:
    return replace(result, missing=" ".join(option.value.split()))


def _grouping(result: Options, option: _Option, text: str) -> Options:
    match = re.fullmatch(r"([^\W\d]\w*)\s*\((.*)\)", option.value.strip(), re.S)
    pair = r"([-+]?\d+(?:\.\d+)?)\s*=\s*(\w+)"
    if match is None or not re.fullmatch(rf"\s*{pair}(?:[\s,]+{pair})*[\s,]*", match[2]):
        raise error_at(
            text,
            option.value_at,
            "GROUPING names a column, and a name for each of its values.",
            expected=("GROUPING IS sex (0 = f 1 = m)",),
        )
    groups = tuple((value, name) for value, name in re.findall(pair, match[2]))
    names = [name.lower() for _, name in groups]
    if len(set(names)) < len(names) or len({value for value, _ in groups}) < len(groups):
        raise error_at(text, option.value_at, "GROUPING has a value or a name twice.")
    return replace(result, group_variable=match[1], groups=groups)


def _tscores(result: Options, option: _Option, text: str) -> Options:
    names = listed(option.value, option.value_at, result.names, text)
    return replace(result, tscores=tuple(name for name, _ in names))


def _cluster(result: Options, option: _Option, text: str) -> Options:
    names = listed(option.value, option.value_at, result.names, text)
    if len(names) != 1:
        hint = "Write three levels as a mixed model: a random effect for each level."
        raise error_at(text, option.value_at, "CLUSTER names one column here.", hint=hint)
    return replace(result, cluster=names[0][0])


def _within(result: Options, option: _Option, text: str) -> Options:
    return replace(result, within=_one_level(result, option, text))


def _between(result: Options, option: _Option, text: str) -> Options:
    return replace(result, between=_one_level(result, option, text))


def _one_level(result: Options, option: _Option, text: str) -> tuple[str, ...]:
    if "(" in option.value:
        at = option.value_at + option.value.index("(")
        hint = "Write three levels as a mixed model: a random effect for each level."
        raise error_at(text, at, f"Levels of {option.name} are not supported.", hint=hint)
    names = listed(option.value, option.value_at, result.names, text)
    return tuple(name for name, _ in names)


def _auxiliary(result: Options, option: _Option, text: str) -> Options:
    if "(" in option.value:
        at = option.value_at + option.value.index("(")
        raise error_at(
            text,
            at,
            "AUXILIARY variables that take part in the analysis are not supported.",
            hint="Drop what stands in parentheses: the variable is then carried along alone.",
        )
    return result


def _file(result: Options, option: _Option, _: str) -> Options:
    name = option.value.strip()
    if len(name) > 1 and name[0] in "\"'" and name[-1] == name[0]:
        name = name[1:-1]
    return replace(result, file=" ".join(name.split()) or None)


def _listwise(result: Options, option: _Option, text: str) -> Options:
    value = option.value.strip().upper()
    if value not in ("ON", "OFF"):
        raise error_at(text, option.value_at, "LISTWISE is ON or OFF.", expected=("ON", "OFF"))
    return replace(result, listwise=value == "ON")


def _data_type(result: Options, option: _Option, text: str) -> Options:
    if option.value.strip().upper() != "INDIVIDUAL":
        raise error_at(
            text,
            option.value_at,
            f"DATA: TYPE = {' '.join(option.value.split())} is not supported.",
            hint="Give the moments as data: gm.Moments(mean, cov, n).",
        )
    return result


def _groups_of_moments(result: Options, option: _Option, text: str) -> Options:
    if option.value.strip() != "1":
        raise error_at(text, option.at, "NGROUPS is not supported.", hint="Use GROUPING.")
    return result


def _define(result: Options, statement: Statement, text: str) -> Options:
    match = re.match(r"([^\W\d]\w*)\s*=", statement.text)
    existing = {name.lower() for name in result.names}
    if match is None or match[1].lower() in existing:
        raise error_at(
            text,
            statement.position,
            "This statement of DEFINE changes columns of the data.",
            hint="Change them in the data, and drop the statement.",
        )
    shown = " ".join(statement.text.split())
    rule = "DEFINE: Mplus computes this column first; the data given here must have it"
    note = Default(match[1], shown, rule)
    return replace(result, created=(*result.created, match[1]), notes=(*result.notes, note))


def _long_to_wide(result: Options, statement: Statement, text: str) -> Options:
    """The columns that Mplus makes of long data."""
    match = _OPTION.fullmatch(statement.text)
    if match is None or match[1].upper() != "WIDE":
        return result
    at = statement.position + match.start(2)
    made = [name for name, _ in listed(match[2].replace("|", " "), at, (), text)]
    rule = "DATA LONGTOWIDE: Mplus brings long data into wide form"
    note = Default("layout", "long", rule)
    return replace(result, created=(*result.created, *made), notes=(*result.notes, note))


def _information(result: Options, option: _Option, text: str) -> Options:
    value = option.value.strip().lower()
    known: dict[str, Information] = {"expected": "expected", "observed": "observed"}
    found = [kind for kind in known if len(value) >= 4 and kind.startswith(value)]
    if not found:
        raise error_at(
            text,
            option.value_at,
            f"INFORMATION = {option.value.strip()} is not supported.",
            expected=("OBSERVED", "EXPECTED"),
        )
    return replace(result, information=known[found[0]])


def _analysis_model(result: Options, option: _Option, text: str) -> Options:
    value = option.value.strip().upper()
    if len(value) >= 4 and "NOCOVARIANCES".startswith(value):
        return replace(result, no_covariances=True)
    raise error_at(
        text,
        option.value_at,
        f"MODEL = {option.value.strip()} is not supported.",
        expected=("NOCOVARIANCES",),
        hint="Means are part of every growth model.",
    )


_HANDLERS: dict[str, dict[str, Handler]] = {
    "VARIABLE": {
        "NAMES": _names,
        "USEVARIABLES": _use,
        "MISSING": _missing,
        "GROUPING": _grouping,
        "TSCORES": _tscores,
        "CLUSTER": _cluster,
        "WITHIN": _within,
        "BETWEEN": _between,
        "AUXILIARY": _auxiliary,
    },
    "DATA": {
        "FILE": _file,
        "LISTWISE": _listwise,
        "TYPE": _data_type,
        "NGROUPS": _groups_of_moments,
    },
    "ANALYSIS": {"INFORMATION": _information, "MODEL": _analysis_model},
}


def _estimator(option: _Option, text: str) -> str:
    value = option.value.strip().upper()
    if value not in ESTIMATORS:
        raise error_at(
            text,
            option.value_at,
            f"ESTIMATOR = {option.value.strip()} is not supported.",
            expected=tuple(ESTIMATORS),
            hint="growthmm fits by maximum likelihood.",
        )
    return value


def _types(option: _Option, text: str) -> frozenset[str]:
    """The words of TYPE, in full."""
    found = set()
    for word in re.finditer(r"\S+", option.value):
        said = word.group().upper()
        known = (*TYPES, *REFUSED_TYPES)
        full = next((t for t in known if t == said or (len(said) >= 4 and t.startswith(said))), "")
        if full not in TYPES:
            raise error_at(
                text,
                option.value_at + word.start(),
                f"ANALYSIS: TYPE = {word.group()} is not supported.",
                expected=TYPES,
                hint=REFUSED_TYPES.get(full),
            )
        found.add(full)
    return frozenset(found)


def _notes(result: Options, estimator: str | None, types: frozenset[str]) -> list[Default]:
    notes = []
    robust = sorted(types & {"RANDOM", "TWOLEVEL"})
    chosen = estimator or ("MLR" if robust else "ML")
    if estimator is None:
        rule = "Mplus: ML with continuous outcomes"
        if robust:
            rule = f"Mplus: MLR with TYPE = {' '.join(robust)}"
        notes.append(Default("estimator", chosen, rule))
    if chosen != "ML":
        rule = f"ESTIMATOR = {chosen}; the estimates are those of ML"
        notes.append(Default("standard errors", ESTIMATORS[chosen], rule))
    if result.listwise:
        notes.append(Default("missing", "listwise", "DATA: LISTWISE = ON"))
    else:
        rule = "Mplus: all observed outcomes are used"
        notes.append(Default("missing", "ml", rule))
    rule = f"Mplus: INFORMATION = {result.information.upper()}"
    notes.append(Default("information", result.information, rule))
    notes.append(Default("covariates", "fixed", "Mplus: conditional on x variables"))
    if result.missing:
        notes.append(Default("missing values", result.missing, "VARIABLE: MISSING"))
    if result.file:
        notes.append(Default("data", result.file, "DATA: FILE"))
    return notes
