"""Implied moments of either family."""

from __future__ import annotations

import numpy as np
import pytest

import growthmm as gm
from growthmm.errors import SpecificationError, UnboundError

FORMULA = "gpa ~ occasion * sex + (1 + occasion | student)"


def test_mixed_and_sem_imply_the_same_moments() -> None:
    data = gm.datasets.gpa()
    fit = gm.fit(FORMULA, data)
    values = dict(zip(fit.estimates["name"], fit.estimates["estimate"], strict=True))
    wanted = {k: v for k, v in values.items() if not k.startswith(("sd(", "cor", "icc"))}
    ours = gm.implied(FORMULA, wanted, data)
    t = np.arange(6.0)
    np.testing.assert_allclose(ours.mean, values["(Intercept)"] + values["occasion"] * t)
    slope = values["sexmale"] + values["occasion:sexmale"] * t
    np.testing.assert_allclose(ours.slopes["sexmale"], slope, atol=1e-14)
    Z = np.column_stack([np.ones(6), t])
    R = values["var(Residual)"] * np.eye(6)
    np.testing.assert_allclose(ours.cov, Z @ fit.factor_cov.to_numpy() @ Z.T + R, atol=1e-14)
    curve = gm.translate(FORMULA, "lavaan", data=data)
    sem = gm.fit(curve.text, data, id="student", time="occasion")
    there = dict(zip(sem.estimates["name"], sem.estimates["estimate"], strict=True))
    theirs = gm.implied(curve.text, there)
    np.testing.assert_allclose(theirs.cov, ours.cov, rtol=1e-9)
    np.testing.assert_allclose(theirs.mean, ours.mean, rtol=1e-9)


def test_what_is_missing_is_named() -> None:
    with pytest.raises(UnboundError, match="occasions and codings"):
        gm.implied(FORMULA, {})
    with pytest.raises(
        SpecificationError, match=r"lack y0~~y0, .* have b, which the model does not"
    ):
        gm.implied("i =~ 1*y0 + 1*y1", {"b": 1.0})
    text = "i =~ 1*y0 + 1*y1\ny0 ~~ v*y0\ny1 ~~ v*y1"
    with pytest.raises(SpecificationError, match="no group 1"):
        gm.implied(text, {"i~1": 2.0, "i~~i": 1.0, "v": 0.5}, group=1)
    with pytest.raises(SpecificationError, match=r"other rows of the label v are 0\.5"):
        gm.implied(text, {"i~1": 2.0, "i~~i": 1.0, "y0~~y0": 0.5, "y1~~y1": 0.6})
