#!/usr/bin/env bash
# The chart, with each of its values files.
. "$(dirname "${BASH_SOURCE[0]}")/../part.sh"
needs packages helm

chart=infra/helm/mlops-backend
manifests="$PWD/.cache/helm" # in the repository: what is compiled there finds its types
helm() {
  HELM_CACHE_HOME="$work/helm" HELM_CONFIG_HOME="$work/helm" HELM_DATA_HOME="$work/helm" "$(tool_path helm)" "$@"
}
lint_chart() {
  local values
  for values in "$chart"/ci/*.yaml; do helm lint --strict --quiet "$chart" -f "$values" || return 1; done
}
check_manifests() {
  local values name
  rm -rf "$manifests"
  for values in "$chart"/ci/*.yaml; do
    name="$(basename "$values" .yaml)"
    helm template release "$chart" --namespace mlops -f "$values" >"$work/$name.yaml" || return 1
    node infra/helm/check-manifests.ts "$work/$name.yaml" "$manifests/$name" || return 1
  done
  tsc --ignoreConfig --noEmit --strict --module nodenext --target esnext --skipLibCheck --types node \
    "$manifests"/*/custom-resources.ts || return 1
  python_environment kubernetes kubernetes-validate &&
    "$work/kubernetes/bin/python" infra/helm/validate-core.py "$manifests"/*/core.yaml
}
check_security() {
  python_environment checkov checkov &&
    LOG_LEVEL=ERROR "$work/checkov/bin/checkov" --config-file infra/helm/checkov.yml -f "$manifests"/*/lasting.yaml
}
check "chart: helm lint" lint_chart
check "chart: schemas of Kubernetes, KEDA and the Prometheus operator" check_manifests
check "chart: security (checkov)" check_security
complete
