# %% [markdown]
# # Missing data
#
# Students who do badly leave. What does that do to a growth model, by which program, and what can
# be done about it? A plain-text notebook: run it as a script, or open it with Jupytext. Every
# number in the text is asserted.

# %%
import numpy as np

import growthmm as gm

complete = gm.datasets.gpa()
formula = "gpa ~ occasion + (occasion | student)"

# %% [markdown]
# ## Dropout that goes with earlier grades
#
# After each semester a student may leave; the lower the grade, the likelier. The next grades are
# then missing: at random in Rubin's sense, as the grade before was observed.

# %%
rng = np.random.default_rng(11)
wide = complete.pivot_table(index="student", columns="occasion", values="gpa")
values = wide.to_numpy().copy()
for t in range(5):
    odds = np.exp(-1.6 - 1.5 * (values[:, t] - wide[t].mean()) / wide[t].std())
    leaves = rng.random(200) < odds / (1.0 + odds) * np.isfinite(values[:, t])
    values[leaves, t + 1 :] = np.nan
data = complete.assign(gpa=values.ravel())

# %%
found = gm.missing(formula, data, n_imputations=10, seed=1)
print(found.summary())

# %% [markdown]
# The check sees it: a standard deviation more multiplies the odds of leaving by much less than
# one.

# %%
check = found.dropout[0]
assert check.depends
assert check.odds_ratio < 0.5

# %% [markdown]
# ## Who is dropped by whom
#
# Mixed-model programs use every grade. lavaan by default keeps the students without a gap: those
# who did well.

# %%
rules = {rule.rule: rule for rule in found.rules}
assert rules["all_rows"].dropped_rows == 0
assert rules["listwise"].n_subjects < 100

# %% [markdown]
# The mixed model on all rows and the growth curve by full information are one likelihood.

# %%
assert found.both.verdict == "identical"
assert found.both.max_difference_in_se < 1e-6

# %% [markdown]
# ## What it does to the estimates
#
# Beside the complete data: students without a gap started higher, by several standard errors.
# Maximum likelihood finds level and slope again from 60% of the grades, within its standard
# errors.
# So does multiple imputation, whose regressions know nothing of straight lines: its standard error
# of the slope is the larger one.

# %%
truth = gm.fit(formula, complete).estimates.set_index("name")["estimate"]
by = found.estimates.set_index(["method", "name"])


def away(method: str, name: str) -> float:
    """Distance from the complete data's estimate, in the method's own standard errors."""
    estimate, error = by.loc[(method, name), ["estimate", "std_error"]]
    return float((estimate - truth[name]) / error)


for name in ("(Intercept)", "occasion"):
    print(name, {m: round(away(m, name), 1) for m in ("maximum_likelihood", "listwise")})
    assert abs(away("maximum_likelihood", name)) < 1.5
    assert abs(away("imputation", name)) < 1.5
assert by.loc[("imputation", "occasion"), "relative_std_error"] > 1.1
assert away("listwise", "(Intercept)") > 4

# %% [markdown]
# Forests predict the gaps without noise: standard errors that are too small, and a residual
# variance that is.

# %%
assert by.loc[("forest", "var(Residual)"), "difference_in_se"] < -2
assert by.loc[("forest", "occasion"), "relative_std_error"] < 0.9

# %% [markdown]
# ## Other estimators
#
# Estimating equations and pooled least squares want values that are missing completely at random.
# Here they think too well of the slope; the mixed model does not.

# %%
beside = gm.alternatives(formula, data)
print(beside.summary())
slopes = {a.method: a.coefficient("occasion") for a in beside.answers}

for method in ("pooled", "mixed"):
    slope, error = slopes[method]
    print(method, round((slope - truth["occasion"]) / error, 1))
assert slopes["pooled"][0] - truth["occasion"] > 2 * slopes["pooled"][1]
assert abs(slopes["mixed"][0] - truth["occasion"]) < 1.5 * slopes["mixed"][1]
assert beside.mundlak is not None
assert beside.mundlak.max_difference < 1e-10
