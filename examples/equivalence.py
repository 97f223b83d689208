"""One model, two spellings: a demonstration for a paper or a lecture.

``python examples/equivalence.py`` shows on the built-in GPA data that a mixed model and a latent
growth curve are one model: in symbols, at parameter values drawn at random, at the optimum and
person by person. Then it breaks the equivalence, one default at a time.
"""

from __future__ import annotations

import numpy as np

import growthmm as gm

MIXED = "gpa ~ occasion + (1 + occasion | student)"


def moments(curve: str) -> float:
    """The largest difference of the implied moments at values drawn at random."""
    rng = np.random.default_rng(1)
    root = rng.normal(size=(2, 2))
    g = root @ root.T
    alpha, v = rng.normal(size=2), rng.uniform(0.1, 1.0)
    mixed = gm.implied(
        MIXED,
        {
            "(Intercept)": alpha[0],
            "occasion": alpha[1],
            "var((Intercept)|student)": g[0, 0],
            "cov((Intercept),occasion|student)": g[0, 1],
            "var(occasion|student)": g[1, 1],
            "var(Residual)": v,
        },
        gm.datasets.gpa(),
    )
    sem = gm.implied(
        curve,
        {
            "i~1": alpha[0],
            "s~1": alpha[1],
            "i~~i": g[0, 0],
            "i~~s": g[0, 1],
            "s~~s": g[1, 1],
            "v": v,
        },
    )
    gaps = [
        np.abs(a.to_numpy() - b.to_numpy()).max()
        for a, b in zip((mixed.mean, mixed.cov), (sem.mean, sem.cov), strict=True)
    ]
    return max(gaps)


def scores(mixed: object, sem: object) -> float:
    """The largest difference between BLUPs and centred factor scores."""
    blups = mixed.random_effects.to_numpy()
    factors = sem.random_effects.to_numpy()
    return float(np.abs(blups - (factors - factors.mean(axis=0))).max())


def main() -> None:
    """Print the demonstration."""
    data = gm.datasets.gpa()
    curve = gm.translate(MIXED, "lavaan", data=data).text
    print("A mixed model\n ", MIXED)
    print("and a latent growth curve\n  " + curve.strip().replace("\n", "\n  "))

    mixed = gm.fit(MIXED, data)
    sem = gm.fit(curve, data, id="student", time="occasion")
    check = gm.verify(MIXED, data)
    print("\n1. In symbols, the same means and covariances:", check.proof().holds)
    print(f"2. At values drawn at random, they differ by {moments(curve):.0e}")
    print(f"3. At the optimum, log L is {mixed.log_likelihood:.6f} and {sem.log_likelihood:.6f}")
    print(f"4. BLUPs and factor scores differ by {scores(mixed, sem):.0e}")
    print("Verdict:", check.verdict, "- of the models:", check.model_verdict)

    print("\nWhat breaks it")
    unequal = "\n".join(line for line in curve.splitlines() if "~~ v*" not in line)
    for what, fit in {
        "REML, whose likelihood is of something else": gm.fit(MIXED, data, estimator="reml"),
        "a residual variance an occasion, the SEM default": gm.fit(
            unequal, data, id="student", time="occasion"
        ),
        "uncorrelated random effects": gm.fit("gpa ~ occasion + (1 + occasion || student)", data),
    }.items():
        moved = fit.log_likelihood - mixed.log_likelihood
        print(
            f"  {what}: log L {moved:+.4f}, parameters {fit.n_parameters - mixed.n_parameters:+d}"
        )

    print("\nTwo programs as they run by default")
    found = gm.explain(f"lmer({MIXED}, gpa)", f"growth('{unequal}', gpa)", data)
    for step in found.steps:
        print(f"  {step.cause}: {step.description}")


if __name__ == "__main__":
    main()
