"""RAM matrices as text: what they show is what the model implies."""

from __future__ import annotations

import numpy as np
import pytest

import growthmm as gm
from growthmm.engines.wide import ram as engine
from growthmm.errors import NotationError, SpecificationError
from growthmm.model.sem import Path, SemModel
from growthmm.notation import recognise
from growthmm.notation.base import ScriptContext
from growthmm.notation.lavaan.read import read as read_lavaan
from growthmm.notation.ram import NOTATION

TEXTS = {
    "growth": "i =~ 1*y0 + 1*y1 + 1*y2\ns =~ 0*y0 + 1*y1 + 2*y2\ny0 ~~ r*y0\ny1 ~~ r*y1\ni ~ x",
    "latent basis": "i =~ 1*y0 + 1*y1 + 1*y2\ns =~ 0*y0 + l*y1 + 1*y2\ny1 ~ b*z\nw ~ s + i\nw ~ 1",
}


def matrix(text: str, title: str) -> tuple[list[str], list[str], list[list[str]]]:
    """Row names, column names and cells of a block."""
    block = next(b for b in text.split("\n\n") if b.split("\n")[0].split(" ")[0] == title)
    _, head, *rows = block.split("\n")
    cells = [row.split() for row in rows]
    return [row[0] for row in cells], head.split(), [row[1:] for row in cells]


@pytest.mark.parametrize("name", TEXTS)
def test_the_matrices_imply_the_engine_s_moments(name: str) -> None:
    model = read_lavaan(TEXTS[name])
    text = NOTATION.write(model).text
    rng = np.random.default_rng(4)
    values = dict(zip(model.free_parameters, rng.uniform(0.2, 0.9, 50), strict=False))
    x = {name: rng.normal() for name in model.covariates}

    def number(cell: str) -> float:
        if cell.startswith("data."):
            return x[cell[5:]]
        return values[cell] if cell in values else float(cell)

    a, s, f, m = (
        np.array([[number(cell) for cell in row] for row in matrix(text, title)[2]])
        for title in "ASFm"
    )
    total = np.linalg.inv(np.eye(len(a)) - a)
    mean, cov = (f @ total @ m.T)[:, 0], f @ total @ s @ total.T @ f.T
    compiled = engine.compile_group(model, 0)
    implied = engine.implied(compiled, np.array([values[p] for p in model.free_parameters]))
    assert implied is not None
    t = len(model.outcomes)
    w = np.array([1.0, *(x[name] for name in model.covariates)])
    np.testing.assert_allclose(mean, (implied.mean[0] @ w)[:t], rtol=1e-12)
    np.testing.assert_allclose(cov, implied.sigma[0][:t, :t], rtol=1e-12)


def test_names_of_rows_and_columns() -> None:
    text = NOTATION.write(read_lavaan(TEXTS["growth"])).text
    rows, columns, cells = matrix(text, "A")
    assert rows == columns == ["y0", "y1", "y2", "i", "s", "x"]
    assert cells[1] == ["0", "0", "0", "1", "1", "0"]
    assert cells[3] == ["0", "0", "0", "0", "0", "i~x"]
    assert matrix(text, "F")[0] == ["y0", "y1", "y2"]
    assert matrix(text, "m")[2] == [["0", "0", "0", "i~1", "s~1", "data.x"]]


def test_groups_constraints_and_definitions() -> None:
    text = "growth('i =~ 1*y0 + a*y1\na > 0\nb := a^2', group = 'g', group.label = c('f', 'm'))"
    from growthmm.notation.sem.groups import with_groups

    written = NOTATION.write(with_groups(read_lavaan(text), ("f", "m"))).text
    assert written.count("A (row: effect, column: cause)") == 2
    assert "# group f" in written
    assert "# group m" in written
    assert "i~~i.g2" in written
    assert written.endswith("constraints\na > 0\n\ndefined\nb := a**2")


@pytest.mark.parametrize("name", ["a b", "1", 'q"', "a\nb", "#x", "-y"])
def test_a_strange_name_stays_one_cell(name: str) -> None:
    paths = (Path("f", "=~", name), Path(name, "~~", name, label=name))
    text = NOTATION.write(SemModel(paths, ("f",), (name,))).text
    block = text.split("\n\n")[2]
    assert len(block.split("\n")) == 4
    assert '"' in block


def test_it_is_written_and_never_read() -> None:
    made = gm.translate("y ~ t + (t | id)", "ram", time_values=[0, 1, 2])
    assert matrix(made.text, "A")[1] == ["y_0", "y_1", "y_2", "i", "s"]
    assert NOTATION.script(made.model, ScriptContext()) == made.text
    assert recognise(made.text) == "ram"
    with pytest.raises(NotationError, match="written, not read"):
        gm.read(made.text)
    mixed = gm.read("y ~ t + (t | id)")
    assert "translate it first" in NOTATION.write(mixed).losses[0].nearest
    with pytest.raises(SpecificationError, match="translate"):
        gm.write(mixed, "ram")
