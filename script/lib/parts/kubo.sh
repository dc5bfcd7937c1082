# Kubo, the IPFS node. An `ipfs` of the machine is used from 0.41 on (the first with the profile that pins how files become
# CIDs); else it is built from the Go module proxy, which takes two minutes on two cores.
# shellcheck shell=bash

KUBO_VERSION=0.43.0
KUBO_OLDEST=0.41.0

kubo_find() {
  local path version
  if stamped "$PARITY_TOOLS/kubo" "$KUBO_VERSION" && [ -x "$PARITY_TOOLS/kubo/ipfs" ]; then
    path="$PARITY_TOOLS/kubo/ipfs" version="$KUBO_VERSION"
  else
    path="$(on_machine ipfs)" || return 1
    version="$("$path" version --number 2>/dev/null)" || return 1
    version_at_least "$version" "$KUBO_OLDEST" || return 1
  fi
  exports PARITY_IPFS "$path"
  found "$version" "$path"
}

# The proxy does not list Kubo's versions, so `go install ...@version` fails: build inside a copy of the module.
kubo_build() {
  local dir module
  dir="$(scratch kubo)"
  module="$(go mod download -json "github.com/ipfs/kubo@v$KUBO_VERSION" | sed -n 's/.*"Dir": "\(.*\)",*/\1/p')"
  cp -R "$module" "$dir/source"
  chmod -R u+w "$dir/source"
  (cd "$dir/source" && CGO_ENABLED=0 nice go build -trimpath -o ../ipfs ./cmd/ipfs)
  rm -rf "$dir/source"
  "$dir/ipfs" version
  put_in_place "$dir" "$PARITY_TOOLS/kubo" "$KUBO_VERSION"
  link_tool ipfs "$PARITY_TOOLS/kubo/ipfs"
}

kubo_install() {
  need go "it builds Kubo; or install Kubo's \`ipfs\` yourself"
  step "building Kubo $KUBO_VERSION" kubo_build
}
