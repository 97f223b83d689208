"""The page with one model in every notation, made by translating it.

``python docs/one_model.py`` writes ``docs/one-model.md`` anew; a test holds that the page is what
this makes.
"""

from __future__ import annotations

import pathlib
from collections.abc import Iterator

import growthmm as gm
from growthmm.errors import TranslationError
from growthmm.notation import names, notation
from growthmm.notation.base import families

PAGE = pathlib.Path(__file__).with_name("one-model.md")

MODEL = "gpa ~ occasion * sex + (1 + occasion | student)"

HEAD = f"""\
<!-- Made by docs/one_model.py; do not edit. -->

# One model in every notation

Grades grow linearly over six occasions; students differ in level and rate; girls and boys may
differ in the means of both; there is one residual variance:

$$
y_{{ij}} = \\eta_{{0i}} + t_j\\,\\eta_{{1i}} + e_{{ij}}, \\qquad
\\eta_{{0i}} = \\alpha_0 + \\beta_0 x_i + \\zeta_{{0i}}, \\qquad
\\eta_{{1i}} = \\alpha_1 + \\beta_1 x_i + \\zeta_{{1i}} .
$$

Every text below is what `gm.translate(model, notation, data=gm.datasets.gpa())` makes of

```text
{MODEL}
```

and each that growthmm reads gives the model back. Estimation is by maximum likelihood throughout.
Each also comes as a complete program, `.script` (`--script`), that reads the data, reshapes them
where needed and fits.
"""

FAMILIES = {
    "mixed": "## As a mixed model, on long data",
    "sem": "## As a latent growth curve, on wide data",
}

RESIDUALS = {"by_occasion": "A residual variance at each occasion", "ar1": "AR(1) residuals"}
"""Further residual structures that are shown, with their titles."""


def page() -> str:
    """The page as Markdown."""
    data = gm.datasets.gpa()
    made = {family: list(_texts(family, data)) for family in FAMILIES}
    lines = [HEAD]
    for family, title in FAMILIES.items():
        lines += [title, ""]
        for name, text in made[family]:
            heading = f"### {notation(name).title} (`{name}`)"
            lines += [heading, "", "```text", text.rstrip(), "```", ""]
    lines += ["## Which parameter is which", "", *_map(data)]
    lines += [
        "## The same with other residuals",
        "",
        "lme4 and statsmodels have one residual variance; what can't be said is refused with the",
        "nearest program that can. `residual=` adds the structure to a formula.",
        "",
    ]
    for kind, title in RESIDUALS.items():
        lines += [f"### {title} (`residual={kind}`)", "", *_residual(kind, data)]
    return "\n".join(lines).rstrip() + "\n"


def _texts(family: str, data: object) -> Iterator[tuple[str, str]]:
    """Each notation of a family, with the model in it."""
    for name in names():
        spoken = families(notation(name))
        if family in spoken:
            target = f"{name}:{family}" if len(spoken) > 1 else name
            yield name, gm.translate(MODEL, target, data=data, estimator="ml").text


def _map(data: object) -> list[str]:
    """The map of parameters between the families, as a table."""
    rows = gm.translate(MODEL, "lavaan", data=data).parameter_rows
    lines = ["| mixed model | growth curve | rule |", "|---|---|---|"]
    for row in rows:
        mixed = row.mixed_name.replace("|", "\\|")
        lines.append(f"| `{mixed}` | `{row.sem_name}` | {row.rule} |")
    return [*lines, ""]


def _residual(kind: str, data: object) -> list[str]:
    """What some programs say of the model with another residual structure."""
    lines: list[str] = []
    for name in ("nlme", "glmmtmb", "lavaan", "mplus"):
        made = gm.translate(MODEL, name, data=data, residual=kind, estimator="ml")
        lines += [f"`{name}`:", "", "```text", made.text.rstrip(), "```", ""]
    try:
        gm.translate(MODEL, "lme4:mixed", data=data, residual=kind)
    except TranslationError as error:
        lines += ["`lme4` refuses:", "", "```text", str(error), "```", ""]
    return lines


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
