"""Runs ONNX files in onnxruntime, for tests: what they answer, as JSON.

    python -c SCRIPT FOLDER    for every N.onnx in it, the rows of N.rows (float32, little-endian) -> N.json

Every file goes through onnx.checker first, shapes inferred.
"""

import json
import sys
from pathlib import Path

import numpy
import onnx
import onnxruntime


def main() -> None:
    for path in sorted(Path(sys.argv[1]).glob("*.onnx")):
        onnx.checker.check_model(str(path), full_check=True)
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        (features,) = session.get_inputs()
        rows = numpy.fromfile(path.with_suffix(".rows"), dtype="<f4").reshape(-1, features.shape[1])
        outputs = session.get_outputs()
        values = session.run(None, {features.name: rows})
        answer = {output.name: value.ravel().tolist() for output, value in zip(outputs, values)}
        answer["types"] = {value.name: [value.type, value.shape] for value in [features, *outputs]}
        answer["properties"] = session.get_modelmeta().custom_metadata_map
        path.with_suffix(".json").write_text(json.dumps(answer))


main()
