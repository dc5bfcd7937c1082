# The environment of every script: sourced by bash, prints nothing, installs nothing, may be sourced twice.
# `script/setup` records what it found or installed in $PARITY_CACHE/found.sh; this file turns that record into variables,
# so run setup first. libtorch is deliberately left out: only what runs under `trainer_env` sees it.
#
#   PARITY_ROOT      the checkout
#   PARITY_CACHE     everything that setup downloads and builds (default ~/.cache/parity)
#   PARITY_PG_BIN    folder with initdb, postgres, pg_ctl
#   PARITY_IPFS      Kubo's `ipfs`
#   PARITY_BUSYBOX   a static busybox, for tests
#   PARITY_ONNX_PYTHON  Python with onnxruntime, for tests
#   PARITY_PYTHON    Python with numpy, scikit-learn and torch; set only after `script/setup --bench`
#   PARITY_SOLC      a compiler for forge; empty where forge fetches its own
#   PARITY_LIBTORCH  libtorch's folder; empty where PyTorch's own copy serves
#   PARITY_DOCKER    `yes` when a Docker daemon answered, else `no`: PARITY_SANDBOX is then `process`
#   PARITY_TRAINER   where `build_trainer` puts the trainer's binary; PARITY_TRAINER_IMAGE: where `script/trainer-image` packs it
# shellcheck shell=bash

PARITY_ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)"
PARITY_CACHE="${PARITY_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/parity}"
PARITY_TOOLS="$PARITY_CACHE/tools"
export PARITY_ROOT PARITY_CACHE PARITY_TOOLS

case ":$PATH:" in
  *":$PARITY_CACHE/bin:"*) ;;
  *) PATH="$PARITY_CACHE/bin:$PATH" ;;
esac
export PATH

export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PARITY_CACHE/target}"
# The trainer links libtorch, whose variables are part of cargo's fingerprints: a folder of its own keeps the two builds apart.
export PARITY_TRAINER_TARGET="${PARITY_TRAINER_TARGET:-$CARGO_TARGET_DIR/trainer}"
export PARITY_TRAINER="${PARITY_TRAINER:-$PARITY_TRAINER_TARGET/release/parity-trainer}"

# shellcheck disable=SC1091
[ ! -f "$PARITY_CACHE/found.sh" ] || . "$PARITY_CACHE/found.sh"

export PARITY_TRAINER_IMAGE="${PARITY_TRAINER_IMAGE:-parity-trainer:latest}"
[ "${PARITY_DOCKER:-}" != no ] || export PARITY_SANDBOX="${PARITY_SANDBOX:-process}"

if [ -n "${PARITY_SOLC:-}" ]; then
  export FOUNDRY_SOLC="$PARITY_SOLC" FOUNDRY_OFFLINE=true
fi

# Runs a command that may see libtorch: `trainer_env cargo build ...`.
trainer_env() {
  if [ -n "${PARITY_LIBTORCH:-}" ]; then
    LIBTORCH="$PARITY_LIBTORCH" LIBTORCH_BYPASS_VERSION_CHECK=1 CARGO_TARGET_DIR="$PARITY_TRAINER_TARGET" \
      LD_LIBRARY_PATH="$PARITY_LIBTORCH/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}" "$@"
  else
    LIBTORCH_USE_PYTORCH=1 LIBTORCH_BYPASS_VERSION_CHECK=1 CARGO_TARGET_DIR="$PARITY_TRAINER_TARGET" "$@"
  fi
}

# Builds the trainer into $PARITY_TRAINER with optimisation: minutes the first time, most of them for the C++ of libtorch's bindings.
# Silent when there was one already, for then it takes seconds.
build_trainer() {
  local quiet=""
  [ ! -x "$PARITY_TRAINER" ] || quiet=--quiet
  (cd "$PARITY_ROOT" && trainer_env cargo build ${quiet:+"$quiet"} --release -p parity-trainer)
}
