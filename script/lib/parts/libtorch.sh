# libtorch for the trainer: the CPU half of PyTorch's wheel, 450 MB. A machine's own copy is used where LIBTORCH names one of
# this version or where `import torch` gives it; on a CUDA machine that is how the trainer gets CUDA.
# shellcheck shell=bash

TORCH_VERSION=2.13.0
# libtorch_cpu.so links two small CUDA libraries even where there is no GPU. Versions: those that the wheel was built with.
CUDART_VERSION=13.0.96
CUPTI_VERSION=13.0.85
TORCH_WHEELS="$PARITY_CACHE/downloads/torch-$TORCH_VERSION"

libtorch_find() {
  local dir="$PARITY_TOOLS/libtorch" own
  if stamped "$dir" "$TORCH_VERSION"; then
    exports PARITY_LIBTORCH "$dir"
    found "$TORCH_VERSION" "$dir"
  elif [ -n "${LIBTORCH:-}" ] && [[ "$(cat "$LIBTORCH/build-version" 2>/dev/null)" == "$TORCH_VERSION"* ]]; then
    exports PARITY_LIBTORCH "$LIBTORCH"
    found "$TORCH_VERSION" "$LIBTORCH (yours)"
  elif own="$(libtorch_of_python)"; then
    exports PARITY_LIBTORCH ""
    found "$TORCH_VERSION" "$own (PyTorch's)"
  else
    return 1
  fi
}

# Importing torch takes seconds, so its version file is read instead.
libtorch_of_python() {
  local dir
  dir="$(python3 -c 'import importlib.util as u; s = u.find_spec("torch"); print(s.submodule_search_locations[0] if s else "")' 2>/dev/null)"
  [ -n "$dir" ] && grep -qE "^__version__ = ['\"]${TORCH_VERSION//./\\.}" "$dir/version.py" && echo "$dir"
}

libtorch_download() {
  mkdir -p "$TORCH_WHEELS"
  python3 -m pip download --no-deps --only-binary :all: --progress-bar off -d "$TORCH_WHEELS" \
    "torch==$TORCH_VERSION" "nvidia-cuda-runtime==$CUDART_VERSION" "nvidia-cuda-cupti==$CUPTI_VERSION"
}

libtorch_unpack() {
  local dir
  dir="$(scratch libtorch)"
  python3 "$PARITY_ROOT/script/lib/unpack_libtorch.py" "$TORCH_WHEELS" "$dir"
  patchelf --remove-needed libtorch_cuda.so "$dir/lib/libtorch.so"
  # Wheels look for their neighbours with $ORIGIN; so does everything kept here, CUDA's two libraries included.
  if ldd "$dir/lib/libtorch.so" "$dir/lib/libtorch_cpu.so" | grep 'not found'; then
    echo "libtorch misses the libraries above" >&2
    return 1
  fi
  echo "$TORCH_VERSION" >"$dir/build-version"
  put_in_place "$dir" "$PARITY_TOOLS/libtorch" "$TORCH_VERSION"
}

libtorch_install() {
  need python3 "pip downloads PyTorch's wheel"
  python3 -m pip --version >/dev/null 2>&1 || step "installing pip" apt_install python3-pip
  step "downloading PyTorch $TORCH_VERSION (0.5 GB)" libtorch_download
  command -v patchelf >/dev/null || step "installing patchelf" apt_install patchelf
  step "unpacking libtorch" libtorch_unpack
}
