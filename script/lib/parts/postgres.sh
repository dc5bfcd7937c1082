# PostgreSQL's server programs. Tests and the local network start clusters of their own in temporary folders; the cluster
# that Debian's package may create on port 5432 is not used.
# shellcheck shell=bash

POSTGRES_OLDEST=15

postgres_find() {
  local bin initdb version
  for bin in /usr/lib/postgresql/*/bin; do
    [ -x "$bin/initdb" ] && [ -x "$bin/postgres" ] && [ -x "$bin/pg_ctl" ] || continue
    version="$("$bin/postgres" --version | sed 's/[^0-9]*\([0-9.]*\).*/\1/')"
    version_at_least "$version" "$POSTGRES_OLDEST" && break
    version=""
  done
  if [ -z "${version:-}" ]; then
    initdb="$(on_machine initdb)" || return 1
    bin="$(dirname "$(readlink -f "$initdb")")"
    version="$("$bin/postgres" --version 2>/dev/null | sed 's/[^0-9]*\([0-9.]*\).*/\1/')"
    [ -n "$version" ] && version_at_least "$version" "$POSTGRES_OLDEST" || return 1
  fi
  exports PARITY_PG_BIN "$bin"
  found "$version" "$bin"
}

postgres_install() { step "installing PostgreSQL (Debian's postgresql)" apt_install postgresql; }
