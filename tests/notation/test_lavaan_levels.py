"""lavaan's blocks ``level: 1`` and ``level: 2``."""

import pytest

import growthmm as gm
from growthmm.errors import NotationError, SpecificationError
from growthmm.model.sem import Path, SemModel

WITHIN = "i =~ 1*y0 + 1*y1 + 1*y2\ns =~ 0*y0 + 1*y1 + 2*y2\ni + s ~ x"
BETWEEN = "ib =~ 1*y0 + 1*y1 + 1*y2\nsb =~ 0*y0 + 1*y1 + 2*y2\nib ~ z"


def text(within: str = WITHIN, between: str = BETWEEN, one: str = "1", two: str = "2") -> str:
    return f"level: {one}\n{within}\nlevel: {two}\n{between}"


@pytest.mark.parametrize("function", ["growth", "sem", "lavaan"])
def test_what_is_written_reads_back(function):
    model = gm.read(f'{function}(\'{text()}\', cluster = "school", missing = "ml")')
    assert model.n_levels == 2
    assert model.cluster_variable == "school"
    assert model.covariates == ("x", "z")
    written = gm.write(model, "lavaan")
    assert not written.losses
    assert gm.read(written.text) == model


def test_defaults_are_filled_level_by_level():
    model = gm.read(text())
    assert model.path("ib", "~1", level=2).free
    # lavaan 0.6 frees latent means at both levels, which cannot be told apart.
    assert model.path("i", "~1").free
    assert model.path("i", "~~", "s").name == "i~~s"
    assert model.path("sb", "~~", "sb", level=2).name == "sb~~sb.l2"
    # A regressed factor and an exogenous one do not covary, as in a model of one level.
    assert model.path("ib", "~~", "sb", level=2) is None
    assert model.path("y0", "~~", "y0", level=2).free
    assert model.path("y0", "~1", level=2).value == 0
    both = gm.read(f"sem('{text()}', cluster = \"school\")")
    assert both.path("y0", "~1", level=2).free
    assert both.path("y0", "~1").value == 0
    assert "level 2 too" in both.path("y0", "~1").rule


def test_levels_by_name():
    assert gm.read(text(one="within", two="between")) == gm.read(text())
    swapped = f"level: between\n{BETWEEN}\nlevel: within\n{WITHIN}"
    assert gm.read(swapped).table == gm.read(text()).table


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ("i =~ 1*y0 + 1*y1\nlevel: 2\nib =~ 1*y0 + 1*y1", "before the first level"),
        ("level: 1\ni =~ 1*y0 + 1*y1", "Level 2 holds no formula"),
        (text(between="i =~ 1*y0 + 1*y1"), "latent variable i stands at both levels"),
        (text(between=f"{BETWEEN}\nib ~ x"), "splits it"),
        ("level: 1\na ~ x\nlevel: 2\na ~ z\nlevel: 3\na ~ u", "There is a level '3'"),
        ("group: 1\na ~ x", "Blocks"),
    ],
)
def test_what_cannot_be_read_is_refused(bad, message):
    with pytest.raises(NotationError, match=message):
        gm.read(bad, "lavaan")


def test_a_cluster_without_levels_is_refused():
    with pytest.raises(NotationError, match="only corrects standard errors"):
        gm.read("growth('i =~ 1*y0 + 1*y1', cluster = \"school\")")


def test_a_model_has_groups_or_levels():
    rows = (Path("y", "~~", "y"), Path("y", "~~", "y", level=2), Path("y", "~~", "y", group=1))
    with pytest.raises(SpecificationError, match="groups and levels"):
        SemModel(rows, (), ("y",), n_groups=2)


def test_a_script_names_the_clusters():
    call = f"growth('{text()}', cluster = \"school\")"
    schema = gm.translate(call, "lavaan").script
    assert 'cluster = "school"' in schema
