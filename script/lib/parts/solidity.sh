# Solidity libraries, copied into contracts/lib because forge reads no sources outside its project. forge-std travels inside
# another npm package; the npm package of that name is an old, unofficial one.
# shellcheck shell=bash

OPENZEPPELIN_VERSION=5.7.0
FORGE_STD_VERSION=1.9.7

solidity_find() {
  local lib="$PARITY_ROOT/contracts/lib"
  stamped "$lib/openzeppelin-contracts" "$OPENZEPPELIN_VERSION" || return 1
  stamped "$lib/forge-std" "$FORGE_STD_VERSION" || return 1
  found "OpenZeppelin $OPENZEPPELIN_VERSION, forge-std $FORGE_STD_VERSION" "$lib"
}

solidity_copy() {
  local dir lib="$PARITY_ROOT/contracts/lib" modules
  dir="$(scratch solidity)"
  npm_install "$PARITY_ROOT/script/lib/npm/solidity" "$dir"
  modules="$dir/node_modules"
  # Compiled artifacts of every contract: 4 MB that nobody imports.
  rm -rf "$modules/@openzeppelin/contracts/build"
  grep -q "\"version\": \"$FORGE_STD_VERSION\"" "$modules/@layerzerolabs/toolbox-foundry/lib/forge-std/package.json"
  mkdir -p "$lib"
  # Copied next to their destination first: the checkout may lie on another file system than the cache.
  rm -rf "$lib"/.partial-*
  cp -R "$modules/@openzeppelin/contracts" "$lib/.partial-openzeppelin-contracts"
  cp -R "$modules/@layerzerolabs/toolbox-foundry/lib/forge-std" "$lib/.partial-forge-std"
  put_in_place "$lib/.partial-openzeppelin-contracts" "$lib/openzeppelin-contracts" "$OPENZEPPELIN_VERSION"
  put_in_place "$lib/.partial-forge-std" "$lib/forge-std" "$FORGE_STD_VERSION"
  rm -rf "$dir"
}

solidity_install() { step "installing Solidity libraries" solidity_copy; }
