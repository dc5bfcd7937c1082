# A PostgreSQL cluster of one's own, for scripts: `pg_start DIR PORT`, `pg_stop DIR`. PostgreSQL refuses to run as root, so
# root hands it to the user `postgres`, who must be able to reach DIR (below /tmp, not below /root). Needs env.sh.
# shellcheck shell=bash

# Runs a command as a user that PostgreSQL accepts. Works from a folder which that user can enter.
as_database_user() {
  if [ "$(id -u)" -eq 0 ]; then
    (cd / && setpriv --reuid=postgres --regid=postgres --clear-groups env HOME=/tmp "$@")
  else
    (cd / && "$@")
  fi
}

# pg_start DIR PORT: makes the cluster DIR if there is none and starts it on 127.0.0.1:PORT. Superuser `parity`, no
# password, loopback only; no fsync, for these clusters are thrown away.
pg_start() {
  local dir="$1" port="$2"
  if [ ! -f "$dir/PG_VERSION" ]; then
    mkdir -p "$dir" && chmod 700 "$dir" || return 1
    [ "$(id -u)" -ne 0 ] || chown postgres:postgres "$dir" || return 1
    as_database_user "$PARITY_PG_BIN/initdb" -D "$dir" -U parity -A trust -E UTF8 --no-locale --no-sync >/dev/null || return 1
  fi
  as_database_user "$PARITY_PG_BIN/pg_ctl" -D "$dir" -w -s -l "$dir/server.log" \
    -o "-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off" start
}

# pg_stop DIR: stops the cluster, dropping its connections.
pg_stop() { as_database_user "$PARITY_PG_BIN/pg_ctl" -D "$1" -w -s -m fast stop; }
