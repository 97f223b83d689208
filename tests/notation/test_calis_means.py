"""Intercepts that a model leaves at zero by not writing them stay zero in PROC CALIS."""

from __future__ import annotations

import growthmm as gm
from growthmm.notation import notation


def test_openmx_without_observed_means_becomes_calis() -> None:
    data = gm.datasets.gpa()
    source = gm.translate("gpa ~ occasion * sex + (1 + occasion | student)", "openmx", data=data)
    model = gm.read(source.text)
    assert all(path.left != "gpa_0" for path in model.paths if path.op == "~1")
    made = gm.translate(source.text, "sas:sem")
    assert "gpa_0 = 0" in made.text
    assert notation("sas").read(made.text).table == model.table
