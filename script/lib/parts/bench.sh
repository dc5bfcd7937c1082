# A Python environment with numpy, scikit-learn, pfl-research and PyTorch itself, for comparisons against other
# implementations. Only `script/setup --bench` asks for it: PyTorch's bindings do not load without its CUDA libraries, so
# this is a 2 GB download that nothing else needs.
# shellcheck shell=bash

BENCH_VERSION="torch $TORCH_VERSION, numpy 2, scikit-learn 1, pfl 0.6"

bench_find() {
  local dir="$PARITY_TOOLS/python"
  stamped "$dir" "$BENCH_VERSION" || return 1
  exports PARITY_PYTHON "$dir/bin/python"
  found "$BENCH_VERSION" "$dir/bin/python"
}

# A virtual environment knows its own path, so this one is made in place; the stamp comes last.
bench_pip() {
  local dir="$PARITY_TOOLS/python"
  rm -rf "$dir"
  python3 -m venv "$dir"
  "$dir/bin/python" -m pip install --quiet --progress-bar off --find-links "$TORCH_WHEELS" \
    "torch==$TORCH_VERSION" "numpy==2.*" "scikit-learn==1.*" "pfl==0.6.*"
  "$dir/bin/python" -c 'import numpy, sklearn, torch; print(torch.__version__, torch.ones(3).sum().item())'
  echo "$BENCH_VERSION" >"$dir/.parity-version"
}

bench_install() {
  need python3 "it runs PyTorch"
  python3 -c 'import ensurepip, venv' 2>/dev/null || step "installing python3-venv" apt_install python3-venv
  step "installing numpy, scikit-learn, pfl-research and PyTorch $TORCH_VERSION" bench_pip
}
