#!/usr/bin/env bash
# docker compose config of each combination of files; nothing is started.
. "$(dirname "${BASH_SOURCE[0]}")/../part.sh"

config() {
  local name="$1"
  shift
  check "docker compose config$name" docker compose "$@" config -q
}
base=(-f docker-compose.yml)
traced=("${base[@]}" -f docker-compose.tracing.yml)
if docker compose version >/dev/null 2>&1; then
  config "" --profile "*"
  config ", development" "${base[@]}" -f docker-compose.dev.yml
  config ", replicas" "${base[@]}" -f docker-compose.replicas.yml --profile replicas
  config ", tracing" "${traced[@]}" --profile tracing
  config ", tracing and collector" "${traced[@]}" -f docker-compose.collector.yml --profile tracing --profile collector
else
  skip "docker compose config" "no Docker Compose here"
fi
complete
