#!/usr/bin/env bash
# promtool on Prometheus' configuration, on the rules, and on the tests of alerts (each file of them counts as one).
. "$(dirname "${BASH_SOURCE[0]}")/../part.sh"
needs packages prometheus

promtool="$(tool_path prometheus promtool)"
check "promtool check config" "$promtool" check config --lint=all --lint-fatal \
  infra/monitoring/prometheus/prometheus.yml infra/monitoring/prometheus/remote-write.example.yml
check "promtool check rules" "$promtool" check rules --lint=all --lint-fatal infra/monitoring/prometheus/rules/*.yml

say "tests of alerts (npm run monitoring:test)"
status=0
TMPDIR="$work" PROMTOOL_BIN="$promtool" npm run --silent monitoring:test 2>&1 | tee "$work/rules.log" || status=$?
tested="$(grep -c '^PASS ' "$work/rules.log" || true)"
broken="$(sed -n 's/^FAIL //p' "$work/rules.log")"
add_counts "tests of alerts" "$tested $(grep -c . <<<"$broken" || true)
$broken"
# Ended before it came to them, or without any.
if [ "$tested" = 0 ] || { [ "$status" != 0 ] && [ -z "$broken" ]; }; then fail "tests of alerts (exit status $status)"; fi
complete
