"""Mplus: read and write inputs of linear growth models and other linear SEMs."""

from __future__ import annotations

from dataclasses import dataclass, replace

from growthmm.errors import NotationError, SpecificationError
from growthmm.model.defaults import Default
from growthmm.model.phantoms import with_phantoms
from growthmm.model.sem import Path, SemModel
from growthmm.notation.mplus.constraint import read_constraints
from growthmm.notation.mplus.defaults import complete
from growthmm.notation.mplus.levels import by_level, complete_levels
from growthmm.notation.mplus.lists import Names
from growthmm.notation.mplus.model import ModelText
from growthmm.notation.mplus.options import Options, read_options
from growthmm.notation.mplus.syntax import Syntax
from growthmm.notation.mplus.text import (
    Command,
    Statement,
    blank_comments,
    commands,
    error_at,
    statements,
    substitutes,
)

__all__ = ["MplusInput", "read", "read_input"]


@dataclass(frozen=True, slots=True)
class MplusInput:
    """An input: its model, and what it says of the data.

    Parameters
    ----------
    model : SemModel
        The complete table.
    options : Options
        The data file, its columns, codes of missing values and so on.
    title : str
        The title.
    """

    model: SemModel
    options: Options
    title: str = ""


def read(text: str) -> SemModel:
    r"""Read an input, or the body of a MODEL command alone.

    Parameters
    ----------
    text : str
        The input.

    Returns
    -------
    SemModel
        The complete table: defaults stand in it as rows whose `rule` names them.

    Raises
    ------
    NotationError
        If the text is malformed, or says what is no linear SEM.

    Examples
    --------
    >>> model = read("MODEL: i s | y0@0 y1@1 y2@2; y0-y2 (v); i s ON x;")
    >>> model.path("s", "=~", "y2").value, model.path("i", "~~", "s").rule
    (2.0, 'Mplus: residuals of growth factors covary')
    """
    return read_input(text).model


def read_input(text: str) -> MplusInput:
    """Read an input with what it says of the data; see :func:`read`."""
    try:
        return _read(text)
    except NotationError:
        raise
    except SpecificationError as error:
        raise NotationError(error.message, text=text, position=0, hint=error.hint) from None
    except RecursionError:
        raise NotationError("The text is nested too deeply.", text=text, position=0) from None


def _read(text: str) -> MplusInput:
    blanked = blank_comments(text)
    found = commands(text, blanked)
    options = read_options(found, text, blanked)
    kept = substitutes(text)
    parts = _parts(found, options, text)
    names = Names((*options.names, *options.use, *options.created), kept.variables)
    label_names = Names((), kept.labels)
    bodies = [(statements(blanked, c.start, c.end), group) for c, group in parts.models]
    told = options.two_levels if options.two_levels or len(found) > len(bodies) else None
    by = by_level([s for body, _ in bodies for s in body], text, told=told)
    read: dict[int, tuple[ModelText, Syntax]] = {}
    for level, own in by.items():
        one: list[tuple[list[Statement], int | None]] = [(own, None)]
        read[level] = _said(
            one if level else bodies, options, (names, label_names), text, nested=level > 0
        )
    rows = [row for _, syntax in read.values() for row in syntax.rows]
    if not rows:
        raise error_at(
            text,
            len(text.rstrip()),
            "The input has no MODEL.",
            expected=("MODEL: i s | y0@0 y1@1;",),
        )
    labels = [row.label for row in rows if row.label]
    relations = [s for c in parts.constraints for s in statements(blanked, c.start, c.end)]
    constraints, defined, free = read_constraints(relations, labels, label_names, text)
    n_groups = max(1, len(options.groups))
    if 0 in read:
        table = complete(read[0][1], n_groups, no_covariances=options.no_covariances)
    else:
        if n_groups > 1:
            raise error_at(text, 0, "The input has groups and levels.", hint="Write one of them.")
        table = complete_levels(read, options, names, text)
    for model_text, _ in read.values():
        _check_names(model_text, options, table.variables.latent, text)
    notes = (*options.notes, *parts.notes, *_idle(table.paths, options, names))
    groups = dict(kept.groups)
    column = options.group_variable
    exogenous = table.variables.exogenous
    said = SemModel(
        paths=_plain_labels(table.paths),
        latent=table.variables.latent,
        outcomes=tuple(n for n in table.variables.observed if n not in exogenous),
        covariates=exogenous,
        constraints=constraints,
        defined=defined,
        n_groups=n_groups,
        group_variable=names.spell(column) if column else None,
        cluster_variable=names.spell(options.cluster) if options.cluster else None,
        group_labels=tuple(groups.get(name.lower(), value) for value, name in options.groups),
        missing="listwise" if options.listwise else "ml",
        information=options.information,
        notation="mplus",
        defaults=notes,
    )
    model = with_phantoms(said, free)
    titles = [blanked[c.start : c.end].strip(" \t\r\n;") for c in found if c.name == "TITLE"]
    return MplusInput(model, options, " ".join(titles))


def _said(
    bodies: list[tuple[list[Statement], int | None]],
    options: Options,
    spelling: tuple[Names, Names],
    text: str,
    *,
    nested: bool,
) -> tuple[ModelText, Syntax]:
    """What MODEL and the groups' MODEL say, or one level of MODEL."""
    names, label_names = spelling
    order = options.use or options.names
    made = ModelText(text, names, label_names, order, nested=nested)
    for body, _ in bodies:
        made.declare(body)
    for body, group in sorted(bodies, key=lambda b: -1 if b[1] is None else b[1]):
        for statement in body:
            made.add(statement, group)
    return made, Syntax(tuple(made.rows.values()), tuple(made.curves))


@dataclass(frozen=True, slots=True)
class _Parts:
    """The commands that make the model."""

    models: list[tuple[Command, int | None]]
    constraints: list[Command]
    notes: tuple[Default, ...]


def _parts(found: list[Command], options: Options, text: str) -> _Parts:
    groups = {name.lower(): k for k, (_, name) in enumerate(options.groups)}
    models: list[tuple[Command, int | None]] = []
    constraints: list[Command] = []
    notes: list[Default] = []
    for command in found:
        if command.name == "MONTECARLO":
            raise error_at(text, command.position, "MONTECARLO is not supported.")
        if command.name != "MODEL":
            continue
        word = command.argument.upper()
        if not word:
            models.append((command, None))
        elif command.argument.lower() in groups:
            models.append((command, groups[command.argument.lower()]))
        elif len(word) >= 4 and "CONSTRAINT".startswith(word):
            constraints.append(command)
        elif len(word) >= 4 and ("TEST".startswith(word) or "INDIRECT".startswith(word)):
            rule = "changes neither the model nor its maximum"
            notes.append(Default(f"MODEL {word}", "left out", rule))
        else:
            raise error_at(
                text,
                command.position,
                f"MODEL {command.argument} is not supported: it is no group of GROUPING.",
                expected=(*(f"MODEL {name}" for _, name in options.groups), "MODEL CONSTRAINT"),
                hint="Name groups in VARIABLE: GROUPING IS sex (0 = f 1 = m);",
            )
    return _Parts(models, constraints, tuple(notes))


def _check_names(
    model_text: ModelText, options: Options, latent: tuple[str, ...], text: str
) -> None:
    """Every observed variable is a column that the input names, where it names any."""
    if not options.names:
        return
    columns = {name.lower() for name in (*options.names, *options.created)}
    used = {name.lower() for name in options.use} or columns
    used |= {name.lower() for name in options.tscores}
    used |= {(options.cluster or "").lower()}
    spell = {model_text.names.spell(name): name for name in (*options.names, *options.created)}
    for name, position in model_text.used:
        if name in latent:
            continue
        written = spell.get(name, name).lower()
        if written not in columns:
            raise error_at(
                text,
                position,
                f"{name} is no column of VARIABLE: NAMES.",
                hint=f"Columns: {', '.join((*options.names, *options.created))}.",
            )
        if written not in used:
            raise error_at(
                text,
                position,
                f"{name} is not among USEVARIABLES.",
                hint=f"Add {name} to USEVARIABLES.",
            )


def _plain_labels(paths: tuple[Path, ...]) -> tuple[Path, ...]:
    """Without labels that are no more than the row's own name."""
    return tuple(replace(p, label=None) if p.label == p.name else p for p in paths)


def _idle(paths: tuple[Path, ...], options: Options, names: Names) -> tuple[Default, ...]:
    """A note on the variables of USEVARIABLES that MODEL does not name."""
    used = {name for path in paths for name in (path.left, path.right, path.definition)}
    used |= {names.spell(options.group_variable or ""), names.spell(options.cluster or "")}
    idle = [name for name in options.use if names.spell(name) not in used]
    if not idle:
        return ()
    rule = (
        "Mplus estimates mean and variance of a variable of USEVARIABLES that MODEL does not "
        "name, uncorrelated with all others; that changes no other estimate"
    )
    return (Default(", ".join(idle), "left out", rule),)
