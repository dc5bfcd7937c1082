# The Solidity compiler. forge fetches its own where it can reach it; a machine that cannot gets the JavaScript build from
# npm behind script/solc-wrapper. Which of the two is decided once; delete $PARITY_CACHE/tools/solc to decide again.
# shellcheck shell=bash

SOLC_VERSION=0.8.30

# A changed wrapper or lock file is a new version.
solc_stamp() { echo "$SOLC_VERSION $(cat "$PARITY_ROOT"/script/solc-wrapper/{solc.mjs,package-lock.json} | cksum)"; }

solc_find() {
  local dir="$PARITY_TOOLS/solc"
  stamped "$dir" "$(solc_stamp)" || return 1
  if [ -f "$dir/fetched-by-forge" ]; then
    exports PARITY_SOLC ""
    found "$SOLC_VERSION" "fetched by forge"
  else
    [ -x "$dir/solc" ] || return 1
    exports PARITY_SOLC "$dir/solc"
    found "$SOLC_VERSION" "$dir/solc (JavaScript)"
  fi
}

# forge builds an empty contract with a compiler that it has or fetches: the only honest test of whether it can.
solc_try_forge() {
  local dir="$1/try"
  mkdir -p "$dir/src" &&
    printf 'pragma solidity %s;\ncontract Empty {}\n' "$SOLC_VERSION" >"$dir/src/Empty.sol" &&
    printf '[profile.default]\nsolc = "%s"\n' "$SOLC_VERSION" >"$dir/foundry.toml" &&
    (unset FOUNDRY_SOLC FOUNDRY_OFFLINE && cd "$dir" && timeout 60 forge build)
}

solc_wrap() {
  local dir="$1"
  npm_install "$PARITY_ROOT/script/solc-wrapper" "$dir"
  cp "$PARITY_ROOT/script/solc-wrapper/solc.mjs" "$dir/solc.mjs"
  chmod 755 "$dir/solc.mjs"
  ln -s solc.mjs "$dir/solc"
  "$dir/solc" --version
}

solc_install() {
  local dir
  dir="$(scratch solc)"
  say "asking forge for solc $SOLC_VERSION ..."
  if solc_try_forge "$dir" >>"$PART_LOG" 2>&1; then
    : >"$dir/fetched-by-forge"
  else
    say "forge cannot fetch solc here; using the JavaScript build instead"
    step "installing solc $SOLC_VERSION from npm" solc_wrap "$dir"
  fi
  rm -rf "$dir/try"
  put_in_place "$dir" "$PARITY_TOOLS/solc" "$(solc_stamp)"
}
