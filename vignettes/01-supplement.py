# %% [markdown]
# # One growth model, two programs
#
# A mixed model of students' grades over six semesters, and the same model as a latent growth
# curve. This is a plain-text notebook: run it as a script, or open it with Jupytext. Every number
# in the text is asserted.

# %%
import numpy as np

import growthmm as gm

data = gm.datasets.gpa()

# %% [markdown]
# ## The mixed model
#
# Every student has a level at the first semester and a rate of change. Both vary over students, and
# may covary.

# %%
mixed = "gpa ~ occasion + (1 + occasion | student)"
fit = gm.fit(mixed, data)
print(fit.summary())

assert abs(fit.log_likelihood - -123.1171055) < 1e-6
assert fit.n_parameters == 6

# %% [markdown]
# ## The latent growth curve
#
# The random effects become latent variables: `i`, on which every occasion loads 1, and `s`, on
# which the occasions load 0 to 5. The fixed effects become their means. A mixed model has one
# residual variance, so the six residual variances share a label.

# %%
growth = gm.translate(mixed, "lavaan", data=data)
print(growth.text)
print(growth.parameters)

assert growth.losses == ()

# %% [markdown]
# Fitted as a structural equation model to the students' wide rows, by an engine that shares no
# likelihood with the first, it gives the same log-likelihood.

# %%
sem = gm.fit(growth.text, data, id="student", time="occasion")
print(sem.summary())

assert sem.engine != fit.engine
assert abs(sem.log_likelihood - fit.log_likelihood) < 1e-6

# %% [markdown]
# `verify` does all of this at once, at six levels of evidence.

# %%
check = gm.verify(mixed, data)
for level in check.levels:
    print(f"{level.name:12} {'passed' if level.passed else 'FAILED':7} {level.figure}")

assert check.verdict == "identical"

# %% [markdown]
# ## Why the numbers usually differ: residual variances
#
# lavaan's `growth()`, left to itself, estimates a residual variance for every occasion. That is
# another model. Its mixed twin has a residual variance by occasion, which lme4 cannot say and nlme
# can (`varIdent`). The log-likelihood rises by 73.7 for five more parameters.

# %%
loadings = "\n".join(line for line in growth.text.splitlines() if "=~" in line)
default = gm.fit(loadings, data, id="student", time="occasion")
by_occasion = gm.fit(mixed, data, residual="by_occasion")

assert default.n_parameters == by_occasion.n_parameters == 11
assert abs(default.log_likelihood - -49.3852460) < 1e-6
assert abs(by_occasion.log_likelihood - default.log_likelihood) < 1e-6

# %% [markdown]
# ## Why the numbers usually differ: REML
#
# lme4 maximises the restricted likelihood unless told otherwise. For balanced complete data the
# residual variance stays where it is and standard errors grow by the root of N/(N-1).

# %%
reml = gm.fit(mixed, data, estimator="reml")
fixed = slice(0, 2)
ratio = reml.estimates["std_error"][fixed] / fit.estimates["std_error"][fixed]

assert abs(reml.log_likelihood - -130.4782808) < 1e-6
assert np.allclose(ratio, np.sqrt(200 / 199), rtol=1e-6)

# %% [markdown]
# ## A covariate of the student
#
# Sex acts on level and rate: an interaction in the formula, two regressions in the growth curve.

# %%
with_sex = "gpa ~ occasion * sex + (1 + occasion | student)"
print(gm.translate(with_sex, "lavaan", data=data).text)
check = gm.verify(with_sex, data)

assert check.verdict == "identical"
assert abs(gm.fit(with_sex, data).log_likelihood - -114.9594618) < 1e-6

# %% [markdown]
# ## A covariate of the semester
#
# Hours in the library vary from semester to semester. One coefficient in the formula is one label
# on six direct paths.

# %%
with_hours = "gpa ~ occasion + lib_hours + (1 + occasion | student)"
print(gm.translate(with_hours, "lavaan", data=data).text)
check = gm.verify(with_hours, data)

assert check.verdict == "identical"
assert abs(gm.fit(with_hours, data).log_likelihood - -11.2681978) < 1e-6
