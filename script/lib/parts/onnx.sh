# A Python environment with onnxruntime and the checker of ONNX files, for tests: exported models must say there what ours
# say. A download of 60 MB; bench's environment stays apart, for few machines have it.
# shellcheck shell=bash

ONNX_VERSION="onnxruntime 1, onnx 1, numpy 2"

onnx_find() {
  local dir="$PARITY_TOOLS/onnx"
  stamped "$dir" "$ONNX_VERSION" || return 1
  exports PARITY_ONNX_PYTHON "$dir/bin/python"
  found "$ONNX_VERSION" "$dir/bin/python"
}

# A virtual environment knows its own path, so this one is made in place; the stamp comes last.
onnx_pip() {
  local dir="$PARITY_TOOLS/onnx"
  rm -rf "$dir"
  python3 -m venv "$dir"
  "$dir/bin/python" -m pip install --quiet --progress-bar off --only-binary :all: "onnxruntime==1.*" "onnx==1.*" "numpy==2.*"
  "$dir/bin/python" -c 'import onnx, onnxruntime; print(onnxruntime.__version__, onnx.__version__)'
  echo "$ONNX_VERSION" >"$dir/.parity-version"
}

onnx_install() {
  need python3 "it runs onnxruntime, for tests"
  python3 -c 'import ensurepip, venv' 2>/dev/null || step "installing python3-venv" apt_install python3-venv
  step "installing onnxruntime" onnx_pip
}
