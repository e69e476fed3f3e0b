#!/usr/bin/env bash
# The integration tests again, on PostgreSQL.
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
if start_postgres; then
  run_tests "integration tests on PostgreSQL" npm run test:all -- tests/integration
else
  fail "PostgreSQL starts"
fi
complete
