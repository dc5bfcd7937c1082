#!/usr/bin/env python3
"""Writes examples/data/*.csv from the copies that scikit-learn bundles. Run it in an environment with scikit-learn:

    python3 -m venv /tmp/examples && /tmp/examples/bin/pip install scikit-learn==1.9.1
    /tmp/examples/bin/python script/examples-data.py           # writes the files
    /tmp/examples/bin/python script/examples-data.py --check   # fails where they differ

Numbers are written with the fewest digits that read back as the same 64-bit float, so the files are the same everywhere.
"""

import pathlib
import sys

from sklearn.datasets import load_breast_cancer, load_iris

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "examples" / "data"


def name(column: str) -> str:
    return column.removesuffix(" (cm)").replace(" ", "_")


def table(bunch, label: str) -> str:
    lines = [",".join([*map(name, bunch.feature_names), label])]
    for row, target in zip(bunch.data, bunch.target):
        lines.append(",".join([*(repr(float(value)) for value in row), str(bunch.target_names[target])]))
    return "\n".join(lines) + "\n"


def main() -> int:
    files = {
        "healthcare_data.csv": table(load_breast_cancer(), "diagnosis"),
        "iris_data.csv": table(load_iris(), "species"),
    }
    if sys.argv[1:] == ["--check"]:
        stale = [file for file, text in files.items() if (FOLDER / file).read_bytes() != text.encode()]
        for file in stale:
            print(f"examples/data/{file} differs from what this script writes", file=sys.stderr)
        return 1 if stale else 0
    if sys.argv[1:]:
        print(__doc__, file=sys.stderr)
        return 2
    FOLDER.mkdir(parents=True, exist_ok=True)
    for file, text in files.items():
        (FOLDER / file).write_bytes(text.encode())
    return 0


sys.exit(main())
