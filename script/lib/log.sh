# What the user sees of a long script: one line per step on standard error, with its duration. Full output of every
# command goes to a log file per part, whose end is shown when a step fails.
# shellcheck shell=bash

PART="${PART:-setup}"
PART_LOG="${PART_LOG:-/dev/null}"

say() { printf '%-10s %s\n' "$PART" "$*" >&2; }

# now: milliseconds since the epoch, without starting a process.
now() {
  local micros="${EPOCHREALTIME//[.,]/}"
  echo "$((micros / 1000))"
}

# seconds START: time since START (from `now`), as "3.2".
seconds() {
  local passed="$(($(now) - $1))"
  printf '%d.%d' "$((passed / 1000))" "$((passed % 1000 / 100))"
}

# step DESCRIPTION COMMAND...: announces, runs and times a command; returns what the command returned. A function given as
# COMMAND stops at its first failure, unless step itself stands in a condition (there bash ignores `set -e`, all the way down).
step() {
  local description="$1" started status
  shift
  started="$(now)"
  say "$description ..."
  printf '\n== %s\n' "$description" >>"$PART_LOG"
  set +e
  (
    set -e
    "$@"
  ) >>"$PART_LOG" 2>&1
  status=$?
  set -e
  if [ "$status" -eq 0 ]; then
    say "$description: $(seconds "$started") s"
  else
    say "$description: FAILED after $(seconds "$started") s (exit $status); the log ($PART_LOG) ends with"
    tail -n 15 "$PART_LOG" | sed "s/^/  | /" >&2
  fi
  return "$status"
}
