#!/usr/bin/env bash
# End to end: a real Prometheus, Alertmanager, PostgreSQL, S3 server, collector, nginx, helm, and a real browser.
# `bash .ci/parts/e2e.sh FILE...` runs only these files.
. "$(dirname "${BASH_SOURCE[0]}")/../part.sh"
needs packages "${all_tools[@]}" postgresql alertmanager chromium nginx

PROMETHEUS_BIN="$(tool_path prometheus)"
PROMTOOL_BIN="$(tool_path prometheus promtool)"
COLLECTOR_BIN="$(tool_path collector)"
VERSITYGW_BIN="$(tool_path versitygw)"
TOXIPROXY_BIN="$(tool_path toxiproxy)"
HELM_BIN="$(tool_path helm)"
POSTGRES_BIN="${postgres_bin:-}"
export PROMETHEUS_BIN PROMTOOL_BIN COLLECTOR_BIN VERSITYGW_BIN TOXIPROXY_BIN HELM_BIN POSTGRES_BIN
if command -v terraform >/dev/null; then
  TERRAFORM_STAND_INS_BIN="$(tool_path terraform-stand-ins)"
  export TERRAFORM_STAND_INS_BIN
  find_terraform_mirror
fi
if [ "${CHECK_KUBERNETES:-}" = true ]; then
  KUBE_APISERVER_BIN="$(tool_path kubernetes kube-apiserver)"
  ETCD_BIN="$(tool_path kubernetes server)"
  export KUBE_APISERVER_BIN ETCD_BIN
fi
run_tests "end-to-end tests" npm run test:e2e -- "$@"
complete
