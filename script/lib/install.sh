# How parts get onto the machine: into a temporary folder first, then moved into place with their version, so that an
# interrupted setup leaves either the old state or the new one. Sourced by script/setup, after env.sh and log.sh.
# shellcheck shell=bash

# stamped DIR VERSION: true when DIR was completely installed at VERSION.
stamped() { [ "$(cat "$1/.parity-version" 2>/dev/null)" = "$2" ]; }

# scratch NAME: makes an empty folder on the same file system as the tools and prints it. Leftovers of a killed run go first.
scratch() {
  local dir="$PARITY_TOOLS/.partial-$1"
  rm -rf "$dir"
  mkdir -p "$dir"
  echo "$dir"
}

# put_in_place FROM TO VERSION: stamps FROM and renames it to TO, replacing what stood there.
put_in_place() {
  echo "$3" >"$1/.parity-version"
  rm -rf "$2"
  mkdir -p "$(dirname "$2")"
  mv "$1" "$2"
}

# link_tool NAME TARGET: makes TARGET the command NAME of every script.
link_tool() {
  mkdir -p "$PARITY_CACHE/bin"
  ln -sfn "$2" "$PARITY_CACHE/bin/.$1.new"
  mv -fT "$PARITY_CACHE/bin/.$1.new" "$PARITY_CACHE/bin/$1"
}

# on_machine NAME: path of a command that the machine has itself, outside our own bin folder.
on_machine() {
  local path=":$PATH:"
  path="${path//":$PARITY_CACHE/bin:"/:}"
  PATH="${path:1}" type -P "$1"
}

# version_at_least HAVE WANT: compares dotted versions.
version_at_least() { [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]; }

# as_root COMMAND...: runs as root, directly or through sudo.
as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    echo "root is needed for: $*" >&2
    return 1
  fi
}

# need COMMAND WHAT_FOR: fails with a sentence a user can act on.
need() {
  command -v "$1" >/dev/null || {
    say "needs \`$1\` ($2): install it and run script/setup again"
    return 1
  }
}

# apt_install PACKAGE...: Debian packages, without what they merely recommend. Parts run side by side, apt does not.
# Services that a package starts must not inherit our locks (8 and 9).
apt_install() {
  command -v apt-get >/dev/null || {
    echo "this machine has no apt-get; install by hand what Debian calls: $*" >&2
    return 1
  }
  (
    flock 8
    # Lists may be missing on a fresh machine; a failed update is only fatal if the packages cannot be found after it.
    if ! apt-get install --simulate --no-install-recommends "$@" >/dev/null 2>&1; then
      as_root env DEBIAN_FRONTEND=noninteractive apt-get update -q || true
    fi
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
      -o DPkg::Lock::Timeout=300 "$@" 8>&- 9>&- || {
      as_root env DEBIAN_FRONTEND=noninteractive apt-get update -q
      as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
        -o DPkg::Lock::Timeout=300 "$@" 8>&- 9>&-
    }
  ) 8>"$PARITY_CACHE/apt.lock"
}

# npm_install MANIFEST_DIR DEST: installs exactly what MANIFEST_DIR/package-lock.json says, checked against its hashes,
# running no package's own scripts.
npm_install() {
  need npm "it fetches Foundry and the Solidity libraries" || return 1
  mkdir -p "$2"
  cp "$1/package.json" "$1/package-lock.json" "$2/"
  (cd "$2" && npm ci --ignore-scripts --no-audit --no-fund --omit-lockfile-registry-resolved --loglevel=error)
}

# found VERSION WHERE [STATE]: what a part's `_find` reports for the closing table.
# shellcheck disable=SC2034 # read by script/setup
found() {
  FOUND_VERSION="$1"
  FOUND_AT="$2"
  FOUND_STATE="${3:-}"
}

# exports NAME VALUE: a line for found.sh, from a part's `_find`.
exports() { printf 'export %s=%q\n' "$1" "$2" >>"$FOUND_ENV"; }
