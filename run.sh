#!/usr/bin/env bash
# ./run.sh up|down|dev|demo|smoke|logs
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

usage() {
  cat <<'TEXT'
Usage: ./run.sh COMMAND

  up      starts backend, Prometheus and Grafana; writes .env with a new API key the first time
  down    stops them; data stays (down -v removes it)
  dev     the same as up, with the sources mounted and restarts on change, in the foreground
  demo    uploads, trains and predicts against the running backend, so that the dashboard has something to show
  smoke   checks that backend, metrics, the Prometheus target and Grafana answer
  logs    follows the logs (logs backend: of one service)
TEXT
}

key_file=.cache/api-key

fail() {
  printf '%s\n' "$1" >&2
  exit 1
}

# The value of NAME: the environment's, else that of .env, read as Compose does (quotes, comments), else the default.
value() {
  local name="$1" fallback="$2" line
  if [ -n "${!name:-}" ]; then
    printf '%s' "${!name}"
    return
  fi
  line="$(grep -E "^(export )?$name=" .env 2>/dev/null | tail -n 1 || true)"
  line="${line#*=}"
  line="${line#"${line%%[![:space:]]*}"}"
  case "$line" in
    \"*\"*)
      line="${line#\"}"
      line="${line%%\"*}"
      ;;
    \'*\'*)
      line="${line#\'}"
      line="${line%%\'*}"
      ;;
    *)
      line="${line%%[[:space:]]#*}"
      line="${line%"${line##*[![:space:]]}"}"
      ;;
  esac
  printf '%s' "${line:-$fallback}"
}

sha256() { if command -v sha256sum >/dev/null; then sha256sum; else shasum -a 256; fi | cut -d ' ' -f 1; }

write_env() {
  [ -e .env ] && return
  local key
  key="$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')"
  mkdir -p .cache
  (
    umask 077
    printf '%s\n' "$key" >"$key_file"
    {
      printf '# Written by ./run.sh up. All settings: .env.example\n'
      printf 'API_KEYS=demo:%s\n' "$(printf '%s' "$key" | sha256)"
      printf 'AUTH__DISABLED=false\n'
      printf 'PROMETHEUS_TARGETS_DIR=./.cache/prometheus\n'
    } >.env
  )
  printf 'Wrote .env. The API key of owner "demo" is in %s\n' "$key_file"
}

# Whether metrics are switched off, as the service reads it.
metrics_are_off() {
  [ "$(value PROMETHEUS__ENABLED true)" = false ] ||
    [ "$(value OTEL_SDK_DISABLED false | tr '[:upper:]' '[:lower:]')" = true ]
}

# What of .env concerns Prometheus: where it asks, and with which token.
write_targets() {
  local folder=.cache/prometheus
  mkdir -p "$folder"
  if metrics_are_off; then
    # /metrics is 404 then: the target would be down for ever.
    printf '[]\n' >"$folder/backend.json"
  else
    printf '[{ "targets": ["backend:%s"], "labels": { "__metrics_path__": "%s" } }]\n' \
      "$(value METRICS_PORT 8000)" "$(value PROMETHEUS__METRICS_PATH /metrics)" >"$folder/backend.json"
  fi
  # Readable for the user that Prometheus runs as.
  chmod 755 "$folder"
  chmod 644 "$folder/backend.json"
  PROMETHEUS_TARGETS_DIR="$(value PROMETHEUS_TARGETS_DIR ./.cache/prometheus)"
  export PROMETHEUS_TARGETS_DIR
}

# Prometheus' copy of the token, made anew each time: one that is out of date gets it 401 for ever. What
# METRICS_BEARER_TOKEN_FILE names is a file of the container, so the container is asked for it, as Compose makes it.
write_metrics_token() {
  local file token folder=.cache/prometheus
  token="$(value METRICS_BEARER_TOKEN '')"
  file="$(value METRICS_BEARER_TOKEN_FILE '')"
  if [ -n "$file" ] && ! metrics_are_off; then
    token="$(docker compose run --rm --no-deps -T --entrypoint cat backend "$file")" && [ -n "$token" ] ||
      fail "METRICS_BEARER_TOKEN_FILE: the backend's container has no token in $file; mount one there (docker-compose.override.yml)."
  fi
  printf '%s' "$token" >"$folder/metrics-token"
  chmod 644 "$folder/metrics-token"
}

# The token that /metrics asks for, as Prometheus has it.
metrics_token() {
  if [ -z "$(value METRICS_BEARER_TOKEN_FILE '')" ]; then
    value METRICS_BEARER_TOKEN ''
  elif [ -r .cache/prometheus/metrics-token ]; then
    cat .cache/prometheus/metrics-token
  fi
}

# Without a target its absence would be alerted for ever. Another folder, as Compose makes the container anew for that, and
# Prometheus reads its rules at the start only.
write_rules() {
  metrics_are_off || return 0
  local folder=.cache/prometheus-rules
  mkdir -p "$folder"
  rm -f "$folder"/*.yml
  cp "$(value PROMETHEUS_RULES_DIR infra/monitoring/prometheus/rules)"/*.yml "$folder/"
  rm "$folder/targets.yml"
  chmod 755 "$folder"
  chmod 644 "$folder"/*.yml
  export PROMETHEUS_RULES_DIR="./$folder"
}

# Who is told of alerts stands in .env only; Alertmanager expands no variables, so its files, and those of Grafana's
# alerting, are made from it.
write_receivers() {
  [ -n "$(value ALERTMANAGER_EMAIL_TO '')$(value ALERTMANAGER_SLACK_CHANNEL '')$(value ALERTMANAGER_DEADMANSSWITCH_URL '')$(
    value ALERTMANAGER_DEADMANSSWITCH_URL_FILE ''
  )" ] || return 0
  find_node
  [ -d node_modules/yaml ] || fail "ALERTMANAGER_* is set, and its files are made on this machine: npm ci first."
  node infra/monitoring/alerting/write-receivers.ts || fail "Nothing was started."
  ALERTMANAGER_CONFIG_DIR="$(value ALERTMANAGER_CONFIG_DIR ./.cache/alertmanager)"
  GRAFANA_ALERTING_DIR="$(value GRAFANA_ALERTING_DIR ./.cache/grafana-alerting)"
  export ALERTMANAGER_CONFIG_DIR GRAFANA_ALERTING_DIR
}

# Compose leaves a container alone when only the content of its files has changed.
reload_receivers() {
  [ -n "${ALERTMANAGER_CONFIG_DIR:-}" ] || return 0
  local running
  running="$(docker compose --profile "*" ps --services --status running)"
  if grep -qx alertmanager <<<"$running"; then docker compose --profile "*" kill -s HUP alertmanager; fi
  # Grafana reads its alerts at the start only.
  if grep -qx grafana-alerting <<<"$running"; then docker compose --profile "*" restart grafana-alerting; fi
}

# The files of Compose for these profiles: what a profile can't switch, where the backend sends to and what Prometheus
# takes, stands in files of their own.
compose_files() {
  local files=docker-compose.yml
  [[ ",$1," != *,tracing,* ]] || files="$files:docker-compose.tracing.yml"
  [[ ",$1," != *,collector,* ]] || files="$files:docker-compose.collector.yml"
  # Compose takes it by itself only where no files are named.
  if [ "$files" != docker-compose.yml ] && [ -e docker-compose.override.yml ]; then
    files="$files:docker-compose.override.yml"
  fi
  printf '%s' "$files"
}

# Says which files the profiles need, here and in .env, where `docker compose` without this script finds them too. A
# COMPOSE_FILE of one's own stays.
use_profiles() {
  local profiles own files others mark='# by ./run.sh, from COMPOSE_PROFILES'
  profiles="$(value COMPOSE_PROFILES '')"
  if [[ ",$profiles," == *,collector,* && ",$profiles," != *,tracing,* ]] &&
    { [ -z "$(value TEMPO_OTLP_URL '')" ] || [ -z "$(value LOKI_OTLP_URL '')" ]; }; then
    fail "COMPOSE_PROFILES has collector without tracing: add tracing, or say in TEMPO_OTLP_URL and LOKI_OTLP_URL where it sends to."
  fi
  if grep -qF "$mark" .env; then # of the last time
    others="$(grep -vF "$mark" .env || true)"
    printf '%s\n' "$others" >.env
  fi
  # By its own profiles: what the environment says today need not be true tomorrow.
  files="$(compose_files "$(COMPOSE_PROFILES='' value COMPOSE_PROFILES '')")"
  own="$(value COMPOSE_FILE '')"
  if [ "$files" != docker-compose.yml ] && [ -z "$(COMPOSE_FILE='' value COMPOSE_FILE '')" ]; then
    [ -z "$(tail -c 1 .env)" ] || printf '\n' >>.env
    printf 'COMPOSE_FILE=%s %s\n' "$files" "$mark" >>.env
  fi
  COMPOSE_FILE="${own:-$(compose_files "$profiles")}"
  # The first file alone need not be named.
  [ "$COMPOSE_FILE" = docker-compose.yml ] || export COMPOSE_FILE
}

prepare() {
  docker compose version >/dev/null 2>&1 || fail "Docker Compose v2 is needed (docker compose)."
  write_env
  write_targets
  write_rules
  write_receivers
  use_profiles
  REVISION="$(git rev-parse --short HEAD 2>/dev/null || echo unknown)"
  export REVISION
  write_metrics_token
}

backend_url() { printf 'http://127.0.0.1:%s' "$(value SERVICE_PORT 8000)"; }
api_key() { if [ -n "${API_KEY:-}" ]; then printf '%s' "$API_KEY"; elif [ -r "$key_file" ]; then cat "$key_file"; fi; }

smoke() {
  local failures=0 backend prometheus grafana metrics_path
  backend="$(backend_url)"
  prometheus="http://127.0.0.1:$(value PROMETHEUS_PORT 9090)"
  grafana="http://127.0.0.1:$(value GRAFANA_PORT 3001)"
  metrics_path="$(value PROMETHEUS__METRICS_PATH /metrics)"
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
    if [ -z "$(value METRICS_PORT '')" ]; then
      expect "metrics are served" "$backend$metrics_path" _build_info "$(metrics_token)"
    fi
    expect "Prometheus sees the backend" "$prometheus/api/v1/query?query=up%7Bjob%3D%22backend%22%7D%20%3D%3D%201" '"job":"backend"'
  fi
  expect "Grafana answers" "$grafana/api/health" '"database"'
  [ "$failures" = 0 ]
}

# The Node 24 of the packages, where they are installed.
find_node() { if [ -x node_modules/.bin/node ]; then PATH="$PWD/node_modules/.bin:$PATH"; fi; }

# Against the backend of the stack; it runs on this machine and needs its packages.
demo() {
  find_node
  [ -d node_modules/vega-datasets ] || fail "The demo runs on this machine: npm ci first."
  node -e 'process.exit(Number(process.versions.node.split(".")[0]) < 24)' || fail "The demo needs Node 24: npm ci brings it."
  if [ -n "$(value METRICS_PORT '')" ] && [[ " $* " != *" --metrics-url"* ]]; then
    fail "METRICS_PORT serves the metrics inside the stack only, and the demo reads them: --metrics-url URL says where else."
  fi
  API_KEY="$(api_key)"
  METRICS_BEARER_TOKEN="$(metrics_token)"
  export API_KEY METRICS_BEARER_TOKEN
  node tests/support/demo.ts --url "$(backend_url)" \
    --metrics-url "$(backend_url)$(value PROMETHEUS__METRICS_PATH /metrics)" "$@"
}

command="${1:-}"
[ $# -gt 0 ] && shift
case "$command" in
  up)
    prepare
    docker compose up -d --build "$@"
    reload_receivers
    printf 'API %s/api/docs   Prometheus http://127.0.0.1:%s   Grafana http://127.0.0.1:%s\n' \
      "$(backend_url)" "$(value PROMETHEUS_PORT 9090)" "$(value GRAFANA_PORT 3001)"
    ;;
  down) docker compose --profile "*" down "$@" ;;
  dev)
    prepare
    COMPOSE_FILE="$COMPOSE_FILE:docker-compose.dev.yml" docker compose up --build "$@"
    ;;
  demo) demo "$@" ;;
  smoke) smoke ;;
  logs) docker compose --profile "*" logs -f "$@" ;;
  "" | help | -h | --help) usage ;;
  *)
    usage >&2
    exit 2
    ;;
esac
