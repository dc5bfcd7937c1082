#!/usr/bin/env python3
"""Writes crates/learning/tests/vectors/exact.json: what scikit-learn makes of small data sets by the objectives of the exact methods.

Rows are drawn from a fixed seed and rounded to thousandths, so that they are the same numbers in f32. Features (and the label, where it is
a number) are standardised in f64 as `parity_learning::scaling` does it; the coefficients are scikit-learn's on those, its stopping
tolerance tightened to 1e-12. Needs the Python of `script/setup --bench`: "$PARITY_PYTHON" script/exact-vectors.py. Run it again only when a
definition changes on purpose.
"""

import json
from pathlib import Path

import numpy as np
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge


def thousandths(values):
    return np.round(values, 3).astype(np.float32)


def standardised(values):
    wide = values.astype(np.float64)
    mean, deviation = wide.mean(axis=0), wide.std(axis=0)
    deviation = np.where(deviation <= 1e-7 * np.abs(mean), 1.0, deviation)
    return (wide - mean) / deviation, mean, deviation


def case(name, x, labels, ridge):
    """Coefficients `[outputs, features]` and intercepts; with two classes, those of the second one."""
    z, mean, deviation = standardised(x)
    if labels.dtype == np.float32:
        y, *statistics = standardised(labels)
        model = Ridge(alpha=ridge, solver="cholesky") if ridge else LinearRegression()
        label = {"Numbers": [float(str(value)) for value in labels]}
    else:
        y, statistics = labels, [0.0, 1.0]
        model = LogisticRegression(C=1 / ridge, solver="newton-cg", tol=1e-12, max_iter=10_000)
        label = {"Classes": labels.tolist()}
    model.fit(z, y)
    intercept = np.atleast_1d(model.intercept_)
    return {
        "name": name,
        "ridge": ridge,
        "x": [float(str(value)) for value in x.ravel()],
        "labels": label,
        "mean": mean.tolist(),
        "deviation": deviation.tolist(),
        "statistics": [float(value) for value in statistics],
        "weight": np.atleast_2d(model.coef_).ravel().tolist(),
        # What all classes have in common says nothing.
        "bias": (intercept - (intercept.mean() if len(intercept) > 1 else 0.0)).tolist(),
    }


def main():
    draw = np.random.default_rng(20)
    x = draw.normal(size=(60, 5)) * [1, 20, 0.05, 3, 1] + [0, 500, 1, -7, 0.3]
    number = x @ [1, 0.1, -8, 0.5, 0] + draw.normal(size=60) - 40
    group = np.eye(3)[draw.integers(0, 3, 60)]
    dependent = np.column_stack([x, x[:, 1], group, np.full(60, 2.5)])
    wide = draw.normal(size=(12, 20))
    two = (x[:, 0] + (x[:, 1] - 500) / 20 + draw.normal(size=60) > 0.3).astype(int)
    apart = (x[:, 0] > 0.1).astype(int)
    outlier = np.column_stack([x[:, :2], np.where(np.arange(60) == 7, 9000.0, draw.normal(size=60))])
    four = np.argmax(draw.gumbel(size=(60, 4)) + 2 * np.column_stack([x[:, 0], -x[:, 0], (x[:, 1] - 500) / 20, group[:, 1]]), axis=1)
    x, number, dependent, wide, outlier = map(thousandths, (x, number, dependent, wide, outlier))
    cases = [
        case("least squares", x, number, 0.0),
        case("dependent columns", dependent, number, 0.0),
        case("more columns than rows", wide, number[:12], 0.0),
        case("ridge", dependent, number, 3.5),
        case("two classes", x, two, 1.0),
        case("two classes far apart", x, apart, 0.1),
        case("an outlier", outlier, two, 1.0),
        case("dependent columns of two classes", dependent, two, 1.0),
        case("four classes", x, four, 1.0),
        case("four classes and dependent columns", dependent, four, 2.0),
    ]
    file = Path(__file__).resolve().parent.parent / "crates/learning/tests/vectors/exact.json"
    lines = ",\n".join(json.dumps(each, separators=(",", ":")) for each in cases)
    file.write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main()
