# shellcheck shell=bash
# Part of run.sh: backup and restore of the embedded database with its files, in the volume of the backend.

# A container of the backend's image: its user owns what it writes, and /data is all that it can write to.
in_backend() { docker compose run --rm --no-deps -T backend node "$@"; }

need_embedded() {
  [ -z "$(env_value DATABASE_URL)$(env_value DATABASE_URL_FILE)" ] ||
    fail "DATABASE_URL is set: rows are in PostgreSQL, and are backed up with its own tools (docs/operations.md#backup-and-restore)."
}

# Stopped for the time of this script, and started again however it ends.
stop_backend() {
  if docker compose ps --services --status running --status restarting | grep -qx backend; then
    trap 'docker compose start backend' EXIT
    docker compose stop backend
  fi
}
start_backend() {
  trap - EXIT
  docker compose start backend
}

# The path FILE, as whoever called this script means it.
callers_path() { case "$1" in /*) printf '%s' "$1" ;; *) printf '%s/%s' "$called_from" "$1" ;; esac; }

backup() {
  local file gaps=()
  need_compose
  need_embedded
  [[ " $* " != *" --with-gaps "* ]] || gaps=(--with-gaps)
  file="${1:-}"
  [[ "$file" != "" && "$file" != --* ]] || file="backup-$(date +%Y-%m-%d-%H%M%S).tar.gz"
  file="$(callers_path "$file")"
  [ ! -e "$file" ] || fail "$file is there already: name another file. Nothing was backed up."
  stop_backend
  # What users have sent, so nobody else may read it.
  (umask 077 && in_backend src/commands/backup-data.ts --to - >"$file.part") || {
    rm -f "$file.part"
    fail "No backup was made."
  }
  [ -z "$(trap -p EXIT)" ] || start_backend
  # Under its name it was read back.
  in_backend src/commands/restore-data.ts --check --from - ${gaps[@]+"${gaps[@]}"} <"$file.part" || {
    rm -f "$file.part"
    fail "The backup could not be read back, and was removed."
  }
  mv "$file.part" "$file"
  printf 'Database and files are in %s, and were read back.\n' "$file"
}

restore() {
  local file="${1:-}"
  [ -n "$file" ] && shift || fail "Restore what? ./run.sh restore FILE"
  need_compose
  need_embedded
  file="$(callers_path "$file")"
  [ -r "$file" ] || fail "$file can't be read."
  stop_backend
  in_backend src/commands/restore-data.ts --from - "$@" <"$file" || fail "The backup was not restored."
  if [ -n "$(trap -p EXIT)" ]; then start_backend; else printf './run.sh up starts the service on it.\n'; fi
}
