# shellcheck shell=bash
# Part of run.sh: what COMPOSE_PROFILES asks for, and which files of Compose that needs.

has_profile() { [[ ",$(value COMPOSE_PROFILES '')," == *",$1,"* ]]; }

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
