# shellcheck shell=bash
# Part of run.sh: demo, against the backend of the stack; it runs on this machine and needs Node 24.

api_key() { if [ -n "${API_KEY:-}" ]; then printf '%s' "$API_KEY"; elif [ -r "$key_file" ]; then cat "$key_file"; fi; }

# The Node 24 of the packages, where they are installed.
find_node() { if [ -x node_modules/.bin/node ]; then PATH="$PWD/node_modules/.bin:$PATH"; fi; }

demo() {
  local path
  find_node
  node -e 'process.exit(Number(process.versions.node.split(".")[0]) < 24 ? 1 : 0)' ||
    fail "The demo needs Node 24: npm ci brings it."
  if [ -n "$(env_value METRICS_PORT)$(env_value OTEL_EXPORTER_PROMETHEUS_PORT)" ] && [[ " $* " != *" --metrics-url"* ]]; then
    fail "METRICS_PORT serves the metrics inside the stack only, and the demo reads them: --metrics-url URL says where else."
  fi
  path="$(env_value PROMETHEUS__METRICS_PATH)"
  API_KEY="$(api_key)"
  METRICS_BEARER_TOKEN="$(metrics_token)"
  export API_KEY METRICS_BEARER_TOKEN
  node tests/support/demo.ts --url "$(backend_url)" --metrics-url "$(backend_url)${path:-/metrics}" "$@"
}
