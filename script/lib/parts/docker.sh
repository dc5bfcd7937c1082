# Docker: Debian's engine, and a daemon that answers and really runs containers. Where no service manager starts the daemon it
# is started by hand and stays until the machine stops. Trainer containers have no network, so a daemon that cannot set
# one up is good enough. A machine on which no daemon can run is no failure: runners then need `--sandbox process`.
# shellcheck shell=bash

DOCKER_NO_DAEMON="$PARITY_CACHE/docker-cannot-run"

docker_answers() { timeout 10 docker version --format '{{.Server.Version}}' 2>/dev/null; }

# One try per boot: what stops a daemon seldom goes away while the machine runs.
docker_gave_up() { [ "$(cat "$DOCKER_NO_DAEMON" 2>/dev/null)" = "$(cat /proc/sys/kernel/random/boot_id)" ]; }

docker_find() {
  local version
  if version="$(docker_answers)" && [ -n "$version" ]; then
    [ -f "$PARITY_CACHE/docker-runs" ] || return 1
    exports PARITY_DOCKER yes
    found "$version" "${DOCKER_HOST:-/var/run/docker.sock}"
    return 0
  fi
  docker_gave_up || return 1
  exports PARITY_DOCKER no
  found "-" "no daemon: runners need --sandbox process ($DOCKER_NO_DAEMON)" absent
}

# docker_wait PID SECONDS: until the daemon answers, or PID is gone.
docker_wait() {
  local tries=$(($2 * 5))
  while [ "$tries" -gt 0 ]; do
    ! docker_answers >/dev/null || return 0
    as_root kill -0 "$1" 2>/dev/null || return 1
    tries=$((tries - 1))
    sleep 0.2
  done
  return 1
}

# docker_launch FLAGS...: a daemon by hand, in a session of its own, without setup's lock.
docker_launch() {
  local log="$PARITY_CACHE/log/dockerd.log" pid
  echo "dockerd $*" >>"$log"
  # shellcheck disable=SC2016 # expands in the inner shell
  pid="$(as_root sh -c 'log="$1"; shift; setsid dockerd "$@" >>"$log" 2>&1 </dev/null & echo $!' sh "$log" "$@" 9>&-)"
  docker_wait "$pid" 30 && return 0
  as_root kill "$pid" 2>/dev/null || true
  tail -n 5 "$log"
  return 1
}

docker_start() {
  command -v dockerd >/dev/null || PATH="$PATH:/usr/sbin:/sbin" command -v dockerd >/dev/null || return 1
  PATH="$PATH:/usr/sbin:/sbin"
  if [ -d /run/systemd/system ]; then
    as_root systemctl start docker && docker_answers && return 0
  fi
  docker_launch ||
    docker_launch --iptables=false --ip6tables=false --bridge=none ||
    docker_launch --iptables=false --ip6tables=false --bridge=none --storage-driver=vfs
}

# A daemon may answer and yet be unable to start a container (no cgroups, no namespaces): runs /bin/true as the trainer runs.
docker_smoke() {
  local dir image
  dir="$(scratch docker)" &&
    copy_closure /bin/true "$dir/root" bin/true &&
    image="$(tar -C "$dir/root" -c . | docker import --change 'ENV LD_LIBRARY_PATH=/lib' -)" &&
    docker run --rm --network none --read-only --cap-drop ALL --user 65534:65534 "$image" /bin/true &&
    docker image rm "$image" >/dev/null &&
    rm -rf "$dir"
}

docker_install() {
  rm -f "$DOCKER_NO_DAEMON" "$PARITY_CACHE/docker-runs"
  # DOCKER_HOST names somebody else's daemon, which is not ours to start.
  if [ -z "${DOCKER_HOST:-}" ] && [ -S /var/run/docker.sock ] && [ ! -w /var/run/docker.sock ]; then
    say "a Docker daemon runs, but this user may not talk to it: add the user to the group \`docker\` and log in again"
  elif [ -z "${DOCKER_HOST:-}" ] && ! docker_answers >/dev/null; then
    if ! PATH="$PATH:/usr/sbin:/sbin" command -v dockerd >/dev/null || ! command -v docker >/dev/null; then
      step "installing Docker (Debian's docker.io)" apt_install docker.io || true
    fi
    step "starting a Docker daemon" docker_start || true
  fi
  if docker_answers >/dev/null && step "running a container" docker_smoke; then
    : >"$PARITY_CACHE/docker-runs"
  else
    cat /proc/sys/kernel/random/boot_id >"$DOCKER_NO_DAEMON"
    say "no Docker daemon answers${DOCKER_HOST:+ at $DOCKER_HOST}: runners must be started with \`--sandbox process\`, which isolates less"
  fi
}
