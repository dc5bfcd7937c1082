# Foundry: forge, anvil and cast. The machine's own are used from 1.7 on; else the native binaries inside the npm packages.
# shellcheck shell=bash

FOUNDRY_VERSION=1.7.1
FOUNDRY_OLDEST=1.7.0

foundry_find() {
  local tool path version
  if stamped "$PARITY_TOOLS/foundry" "$FOUNDRY_VERSION"; then
    for tool in forge anvil cast; do
      [ -x "$PARITY_CACHE/bin/$tool" ] || return 1
    done
    found "$FOUNDRY_VERSION" "$PARITY_TOOLS/foundry"
    return 0
  fi
  for tool in forge anvil cast; do
    path="$(on_machine "$tool")" || return 1
    version="$("$path" --version 2>/dev/null | sed -n 's/.*Version: \([0-9.]*\).*/\1/p')"
    [ -n "$version" ] && version_at_least "$version" "$FOUNDRY_OLDEST" || return 1
  done
  found "$version" "$(dirname "$path")"
}

foundry_fetch() {
  local dir tool binary
  dir="$(scratch foundry)"
  npm_install "$PARITY_ROOT/script/lib/npm/foundry" "$dir/npm"
  mkdir "$dir/bin"
  for tool in forge anvil cast; do
    binary="$(find "$dir/npm/node_modules/@foundry-rs" -path "*/bin/$tool" -type f -size +1M | head -n 1)"
    [ -n "$binary" ] || { echo "no binary of $tool for this platform in npm" >&2; return 1; }
    mv "$binary" "$dir/bin/$tool"
    chmod 755 "$dir/bin/$tool"
    "$dir/bin/$tool" --version
  done
  rm -rf "$dir/npm"
  put_in_place "$dir" "$PARITY_TOOLS/foundry" "$FOUNDRY_VERSION"
  for tool in forge anvil cast; do
    link_tool "$tool" "$PARITY_TOOLS/foundry/bin/$tool"
  done
}

foundry_install() { step "installing Foundry $FOUNDRY_VERSION" foundry_fetch; }
