#!/usr/bin/env bash
# ./run.sh up|down|dev|demo|smoke|logs|backup|restore. Its parts are in infra/run.
set -euo pipefail
called_from="$PWD"
cd "$(dirname "${BASH_SOURCE[0]}")"

usage() {
  cat <<'TEXT'
Usage: ./run.sh COMMAND

  up       starts backend, Prometheus and Grafana; makes an API key unless there is one; what it decides stands in .env
  down     stops them; data stays (down -v removes it)
  dev      the same as up, with the sources mounted and restarted on change, in the foreground
  demo     uploads, trains and predicts against the running backend, so that the dashboard has something to show
  smoke    checks that backend, metrics, the Prometheus target and Grafana answer
  logs     follows the logs (logs backend: of one service)
  backup   writes database and files into one archive (backup FILE: into that), read back; the backend stops meanwhile
  restore  puts such an archive in the place of database and files (restore FILE); what was there is kept beside it
TEXT
}

fail() {
  printf '%s\n' "$1" >&2
  exit 1
}

# shellcheck source=infra/run/env-file.sh
. infra/run/env-file.sh
# shellcheck source=infra/run/stack-files.sh
. infra/run/stack-files.sh
# shellcheck source=infra/run/archive.sh
. infra/run/archive.sh

# The files of Compose for these profiles: what a profile can't switch, where the backend sends to and what Prometheus
# takes, stands in files of their own.
compose_files() {
  local files=docker-compose.yml
  [[ ",$1," != *,tracing,* ]] || files="$files:docker-compose.tracing.yml"
  [[ ",$1," != *,collector,* ]] || files="$files:docker-compose.collector.yml"
  [[ ",$1," != *,replicas,* ]] || files="$files:docker-compose.replicas.yml"
  # Compose takes it by itself only where no files are named.
  if [ "$files" != docker-compose.yml ] && [ -e docker-compose.override.yml ]; then
    files="$files:docker-compose.override.yml"
  fi
  printf '%s' "$files"
}

check_profiles() {
  if has_profile collector && ! has_profile tracing &&
    { [ -z "$(value TEMPO_OTLP_URL '')" ] || [ -z "$(value LOKI_OTLP_URL '')" ]; }; then
    fail "COMPOSE_PROFILES has collector without tracing: add tracing, or say in TEMPO_OTLP_URL and LOKI_OTLP_URL where it sends to."
  fi
  local scaled=""
  if has_profile replicas; then scaled="COMPOSE_PROFILES has replicas"; fi
  if [[ " $* " =~ \ --scale[\ =](backend|worker)=([2-9]|[1-9][0-9]) ]]; then scaled="$(xargs <<<"${BASH_REMATCH[0]}")"; fi
  [ -n "$scaled" ] || return 0
  [ -n "$(env_value DATABASE_URL)$(env_value DATABASE_URL_FILE)" ] ||
    fail "$scaled, and the embedded database serves one process: several need PostgreSQL (DATABASE_URL, docs/operations.md#several-processes-in-compose)."
  has_profile replicas ||
    fail "$scaled: Prometheus and docker compose would not know of them. COMPOSE_PROFILES=replicas and BACKEND_REPLICAS say it (docs/operations.md#several-processes-in-compose)."
}

# Decides which files the profiles need. A COMPOSE_FILE of one's own stays.
use_profiles() {
  local own files
  # By its own profiles: what the environment says today need not be true tomorrow.
  files="$(compose_files "$(env_value COMPOSE_PROFILES)")"
  own="${COMPOSE_FILE:-$(own_value COMPOSE_FILE)}"
  COMPOSE_FILE="${own:-$(compose_files "$(value COMPOSE_PROFILES '')")}"
  [ "$files" = docker-compose.yml ] || decide COMPOSE_FILE "$files"
  # The first file alone need not be named.
  [ "$COMPOSE_FILE" = docker-compose.yml ] || export COMPOSE_FILE
}

need_compose() { docker compose version >/dev/null 2>&1 || fail "Docker Compose v2 is needed (docker compose)."; }

prepare() {
  need_compose
  ensure_key
  check_profiles "$@"
  open_mounted_files infra/monitoring
  use_profiles
  REVISION="$(git rev-parse --short HEAD 2>/dev/null || echo unknown)"
  export REVISION
  write_targets
  write_rules
  write_receivers
  write_decisions
}

# With replicas SERVICE_PORT is a range.
backend_url() {
  local port
  port="$(value SERVICE_PORT 8000)"
  printf 'http://127.0.0.1:%s' "${port%%-*}"
}
api_key() { if [ -n "${API_KEY:-}" ]; then printf '%s' "$API_KEY"; elif [ -r "$key_file" ]; then cat "$key_file"; fi; }

smoke() {
  local failures=0 backend prometheus grafana metrics_path
  backend="$(backend_url)"
  prometheus="http://127.0.0.1:$(value PROMETHEUS_PORT 9090)"
  grafana="http://127.0.0.1:$(value GRAFANA_PORT 3001)"
  metrics_path="$(env_value PROMETHEUS__METRICS_PATH)"
  command -v curl >/dev/null || fail "curl is needed."
  # A minute for all together: right after the start Prometheus hasn't scraped yet.
  local deadline=$((SECONDS + ${SMOKE_SECONDS:-60}))
  expect() {
    local what="$1" url="$2" text="$3" token="${4:-}" answer
    while true; do
      answer="$(curl -fsS --noproxy '*' --max-time 5 ${token:+-H "Authorization: Bearer $token"} "$url" 2>/dev/null || true)"
      if grep -qF -- "$text" <<<"$answer"; then
        printf 'ok    %s\n' "$what"
        return
      fi
      [ "$SECONDS" -lt "$deadline" ] || break
      sleep 2
    done
    printf 'FAIL  %s: %s does not answer with %s\n' "$what" "$url" "$text"
    failures=$((failures + 1))
  }
  expect "backend is ready" "$backend/api/health/ready" '"ready"'
  if metrics_are_off; then
    printf 'off   metrics are switched off, and Prometheus has neither the target backend nor its alerts\n'
  else
    if [ -z "$(env_value METRICS_PORT)" ]; then
      expect "metrics are served" "$backend${metrics_path:-/metrics}" _build_info "$(metrics_token)"
    fi
    expect "Prometheus sees the backend" "$prometheus/api/v1/query?query=up%7Bjob%3D%22backend%22%7D%20%3D%3D%201" '"job":"backend"'
  fi
  expect "Grafana answers" "$grafana/api/health" '"database"'
  [ "$failures" = 0 ]
}

# The Node 24 of the packages, where they are installed.
find_node() { if [ -x node_modules/.bin/node ]; then PATH="$PWD/node_modules/.bin:$PATH"; fi; }

# Against the backend of the stack; it runs on this machine and needs Node 24.
demo() {
  local path
  find_node
  node -e 'process.exit(Number(process.versions.node.split(".")[0]) < 24 ? 1 : 0)' ||
    fail "The demo needs Node 24: npm ci brings it."
  if [ -n "$(env_value METRICS_PORT)" ] && [[ " $* " != *" --metrics-url"* ]]; then
    fail "METRICS_PORT serves the metrics inside the stack only, and the demo reads them: --metrics-url URL says where else."
  fi
  path="$(env_value PROMETHEUS__METRICS_PATH)"
  API_KEY="$(api_key)"
  METRICS_BEARER_TOKEN="$(metrics_token)"
  export API_KEY METRICS_BEARER_TOKEN
  node tests/support/demo.ts --url "$(backend_url)" --metrics-url "$(backend_url)${path:-/metrics}" "$@"
}

command="${1:-}"
[ $# -gt 0 ] && shift
case "$command" in
  up)
    prepare "$@"
    docker compose up -d --build "$@"
    reload_files
    printf 'API %s/api/docs   Prometheus http://127.0.0.1:%s   Grafana http://127.0.0.1:%s\n' \
      "$(backend_url)" "$(value PROMETHEUS_PORT 9090)" "$(value GRAFANA_PORT 3001)"
    ;;
  down) docker compose --profile "*" down "$@" ;;
  dev)
    prepare "$@"
    open_mounted_files src otel
    COMPOSE_FILE="$COMPOSE_FILE:docker-compose.dev.yml" docker compose up --build "$@"
    ;;
  demo) demo "$@" ;;
  smoke) smoke ;;
  logs) docker compose --profile "*" logs -f "$@" ;;
  backup) backup "$@" ;;
  restore) restore "$@" ;;
  "" | help | -h | --help) usage ;;
  *)
    usage >&2
    exit 2
    ;;
esac
