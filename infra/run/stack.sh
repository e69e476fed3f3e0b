# shellcheck shell=bash
# Part of run.sh: up, down, dev and logs.

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

up() {
  prepare "$@"
  docker compose up -d --build "$@"
  reload_files
  printf 'API %s/api/docs   Prometheus http://127.0.0.1:%s   Grafana http://127.0.0.1:%s\n' \
    "$(backend_url)" "$(value PROMETHEUS_PORT 9090)" "$(value GRAFANA_PORT 3001)"
}

down() { docker compose --profile "*" down "$@"; }

dev() {
  prepare "$@"
  open_mounted_files src otel
  COMPOSE_FILE="$COMPOSE_FILE:docker-compose.dev.yml" docker compose up --build "$@"
}

logs() { docker compose --profile "*" logs -f "$@"; }

# With replicas SERVICE_PORT is a range.
backend_url() {
  local port
  port="$(value SERVICE_PORT 8000)"
  printf 'http://127.0.0.1:%s' "${port%%-*}"
}
