# shellcheck shell=bash
# Part of run.sh: the files that the stack's containers read, made from .env.

# Whether there is no /metrics, as the service reads it.
metrics_are_off() {
  local exporters
  exporters="$(env_value OTEL_METRICS_EXPORTER | tr -d ' ')"
  [ "$(env_value PROMETHEUS__ENABLED)" = false ] ||
    [[ ",${exporters:-prometheus}," != *,prometheus,* ]] ||
    [ "$(env_value OTEL_SDK_DISABLED | tr '[:upper:]' '[:lower:]')" = true ]
}

# Readable for the users that the containers run as.
open_files() {
  chmod 755 "$1"
  chmod 644 "$1"/*
}

# What of .env concerns Prometheus: where it asks, and with which token.
write_targets() {
  local folder=.cache/prometheus port path
  port="$(env_value METRICS_PORT)"
  port="${port:-$(env_value OTEL_EXPORTER_PROMETHEUS_PORT)}"
  path="$(env_value PROMETHEUS__METRICS_PATH)"
  mkdir -p "$folder"
  if metrics_are_off; then
    # /metrics is 404 then: the target would be down for ever.
    printf '[]\n' >"$folder/backend.json"
  elif has_profile replicas; then
    # Each by its own address, which prometheus.yml finds behind their common name, at the port and path that are usual.
    [ -z "$port" ] && [ "${path:-/metrics}" = /metrics ] ||
      fail "COMPOSE_PROFILES has replicas, and Prometheus finds those at :8000/metrics: leave METRICS_PORT and PROMETHEUS__METRICS_PATH out."
    printf '[]\n' >"$folder/backend.json"
  else
    printf '[{ "targets": ["backend:%s"], "labels": { "__metrics_path__": "%s" } }]\n' \
      "${port:-8000}" "${path:-/metrics}" >"$folder/backend.json"
  fi
  write_metrics_token
  open_files "$folder"
  decide PROMETHEUS_TARGETS_DIR ./.cache/prometheus
}

# Prometheus' copy of the token, made anew each time: one that is out of date gets it 401 for ever. What
# METRICS_BEARER_TOKEN_FILE names is a file of the container, so the container is asked for it, as Compose makes it.
write_metrics_token() {
  local file token
  token="$(env_value METRICS_BEARER_TOKEN)"
  file="$(env_value METRICS_BEARER_TOKEN_FILE)"
  if [ -n "$file" ] && ! metrics_are_off; then
    token="$(docker compose run --rm --no-deps -T --entrypoint cat backend "$file")" && [ -n "$token" ] ||
      fail "METRICS_BEARER_TOKEN_FILE: the backend's container has no token in $file; mount one there (docker-compose.override.yml)."
  fi
  printf '%s' "$token" >.cache/prometheus/metrics-token
}

# The token that /metrics asks for, as Prometheus has it.
metrics_token() {
  if [ -z "$(env_value METRICS_BEARER_TOKEN_FILE)" ]; then
    env_value METRICS_BEARER_TOKEN
  elif [ -r .cache/prometheus/metrics-token ]; then
    cat .cache/prometheus/metrics-token
  fi
}

# Without a target its absence would be alerted for ever. Another folder, as Compose makes the container anew for that.
write_rules() {
  metrics_are_off || return 0
  local folder=.cache/prometheus-rules from
  from="$(own_value PROMETHEUS_RULES_DIR)"
  mkdir -p "$folder"
  rm -f "$folder"/*.yml
  cp "${from:-infra/monitoring/prometheus/rules}"/*.yml "$folder/"
  rm -f "$folder/targets.yml"
  open_files "$folder"
  decide PROMETHEUS_RULES_DIR ./.cache/prometheus-rules
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
  chmod -R go+rX .cache/alertmanager .cache/grafana-alerting
  decide ALERTMANAGER_CONFIG_DIR ./.cache/alertmanager
  decide GRAFANA_ALERTING_DIR ./.cache/grafana-alerting
}

# Compose leaves a container alone when only the content of its files has changed.
reload_files() {
  local running name
  running="$(docker compose --profile "*" ps --services --status running)"
  for name in prometheus alertmanager; do
    # From within: `docker compose kill` would mark it as stopped by hand, and nothing would start it again.
    if grep -qx "$name" <<<"$running" && ! docker compose --profile "*" exec -T "$name" kill -HUP 1; then
      printf '%s did not read its files anew: docker compose restart %s\n' "$name" "$name" >&2
    fi
  done
  # Grafana reads its alerts at the start only.
  if [ -n "${GRAFANA_ALERTING_DIR:-}" ] && grep -qx grafana-alerting <<<"$running"; then
    docker compose --profile "*" restart grafana-alerting
  fi
}

# Containers run as users of their own, and see the files of this folder with the rights that they have here: after a clone
# with umask 077 none. Secrets are left as they are.
open_mounted_files() {
  local folder closed
  for folder in "$@"; do
    closed="$(find "$folder" -name secrets -prune -o \( ! -perm -004 -o -type d ! -perm -001 \) -print)"
    [ -n "$closed" ] || continue
    while IFS= read -r file; do chmod go+rX "$file"; done <<<"$closed" ||
      fail "$folder: the users of the containers can't read it, and it can't be changed by you: chmod -R go+rX $folder"
    printf '%s was closed to others, and the containers read it: opened for reading (chmod go+rX).\n' "$folder"
  done
}
