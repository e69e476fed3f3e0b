#!/usr/bin/env bash
# The integration tests again, on PostgreSQL, but for those below: whatever keeps the rows, the same code runs in them.
. "$(dirname "${BASH_SOURCE[0]}")/../part.sh"
needs packages postgresql

as_postgres() {
  if [ "$(id -u)" = 0 ]; then (cd "$work" && runuser -u postgres -- "$@"); else "$@"; fi
}
at_end() {
  if [ -f "$work/postgres/data/postmaster.pid" ]; then
    as_postgres "$postgres_bin/pg_ctl" -D "$work/postgres/data" -m immediate stop >/dev/null 2>&1
  fi
}
start_postgres() {
  local port
  if [ "$(id -u)" = 0 ] && ! id postgres >/dev/null 2>&1; then useradd --system --shell /bin/sh postgres || return 1; fi
  mkdir "$work/postgres" || return 1
  if [ "$(id -u)" = 0 ]; then chown postgres "$work/postgres" || return 1; fi
  port="$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')" || return 1
  as_postgres "$postgres_bin/initdb" -D "$work/postgres/data" -U postgres -A trust -N >/dev/null || return 1
  as_postgres "$postgres_bin/pg_ctl" -D "$work/postgres/data" -w -l "$work/postgres/log" -o \
    "-c listen_addresses=127.0.0.1 -p $port -k $work/postgres -c fsync=off -c max_connections=200" start >/dev/null || {
    cat "$work/postgres/log" || true
    return 1
  }
  export TEST_DATABASE_URL="postgres://postgres@127.0.0.1:$port/postgres"
}
# A new file of tests is run on both. `bash .ci/parts/postgres.sh FILE...` runs only these.
same_on_both=(
  # about requests, answers, addresses and signals, before any row is read
  access-log addresses label-sets one-host terminal
  # about what is sent to whom, and what is not
  export-faults log-export metrics-tell-nothing otlp-variables samplers telemetry-variables telemetry-variables-told
  # about processes, threads and their memory
  predictions training-is-ended training-memory upload-memory
  # about how files are read, before any row is written
  any-table table-fixtures table-fuzz
  # calls only what others here call, and counts it
  demo
  # about the embedded database alone
  backup
)
differing_files() {
  local file name
  for file in tests/integration/*.test.ts; do
    name="$(basename "$file")"
    [[ " ${same_on_both[*]} " == *" ${name%%.*} "* ]] || printf '%s\n' "$file"
  done
}
for name in "${same_on_both[@]}"; do
  compgen -G "tests/integration/$name.*" >/dev/null || fail "the list names $name, and there are no such tests"
done
if start_postgres; then
  files=("$@")
  [ $# != 0 ] || mapfile -t files < <(differing_files)
  run_tests "integration tests on PostgreSQL" npm run test:all -- "${files[@]}"
else
  fail "PostgreSQL starts"
fi
complete
