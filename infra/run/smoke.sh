# shellcheck shell=bash
# Part of run.sh: smoke asks the running stack.

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
    if [ -z "$(env_value METRICS_PORT)$(env_value OTEL_EXPORTER_PROMETHEUS_PORT)" ]; then
      expect "metrics are served" "$backend${metrics_path:-/metrics}" _build_info "$(metrics_token)"
    fi
    expect "Prometheus sees the backend" "$prometheus/api/v1/query?query=up%7Bjob%3D%22backend%22%7D%20%3D%3D%201" '"job":"backend"'
  fi
  expect "Grafana answers" "$grafana/api/health" '"database"'
  [ "$failures" = 0 ]
}
