"""The page on why numbers differ, made from the table of causes that ``explain`` uses.

``python docs/why.py`` writes ``docs/why-numbers-differ.md`` anew; a test holds that the page is
what this makes.
"""

from __future__ import annotations

import pathlib

from growthmm.equivalence.explaining.causes import CAUSES, Cause

PAGE = pathlib.Path(__file__).with_name("why-numbers-differ.md")

HEAD = """\
<!-- Made by docs/why.py; do not edit. -->

# Why do my numbers differ?

You ran one model in two programs, and the numbers differ. Ask:

```
growthmm explain 'lmer(gpa ~ occasion + (occasion | student), gpa)' model.lav --data gpa.csv
```

or, in Python, `gm.explain(a, b, data)`. Each model is taken as its own program runs it by default,
or as its text says. What differs is listed one difference at a time, and each is taken away in turn
and the model fitted again, so that you see which difference moves which number. Without data the
differences are listed without numbers. `--options-a missing=listwise,information=observed` (in
Python `options_a=`) says how a program was run where its text does not; `--printed-a FILE` reads
that from what the program printed, and holds the printed numbers against the fit.

On the built-in GPA data, lme4's and lavaan's defaults differ in two things that count:

| | log-likelihood before | after |
|---|---|---|
| `estimator`: lme4 maximises REML, lavaan ML | -130.478 | -123.117 |
| `residual_variances`: equal in lme4, free at every occasion in lavaan | -123.117 | -49.385 |

and BIC counts 1200 rows in lme4 and 200 persons in lavaan: with everything else equal, 288.775 and
278.024. Differences between programs that move nothing on your data (incomplete persons dropped
where nobody is incomplete) are set apart. Where the effects of two differences don't add up, that
is said as well.

The verdict is one of those of `verify`: `identical`, `identical_if`, `nested` (with its df),
`different_estimator` or `different`. How things are printed does not touch it.

Below are all causes that `explain` knows, by the word that it uses. [Where programs
disagree](where-programs-disagree.md) has the proofs.
"""

SECTIONS = {
    "model": "The models differ",
    "coding": "One model in another coding",
    "likelihood": "The likelihood, or the data that go into it",
    "errors": "Standard errors alone",
    "printing": "Printing alone",
}


def page() -> str:
    """The page as Markdown."""
    lines = [HEAD]
    for effect, title in SECTIONS.items():
        lines += [f"## {title}", ""]
        for cause in CAUSES.values():
            if cause.effect == effect:
                lines += _entry(cause)
    return "\n".join(lines).rstrip() + "\n"


def _entry(cause: Cause) -> list[str]:
    lines = [f"### {cause.title} (`{cause.word}`)", "", cause.about, ""]
    lines += [f"By default: {cause.by_default}", ""]
    lines += ["For example:", "", "```", *cause.example, "```", ""]
    said = [
        f"- {value}, in {notation}: `{line}`"
        for value, lines_ in cause.write.items()
        for notation, line in lines_.items()
    ]
    return [*lines, "To have it:", "", *said, ""] if said else lines


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
