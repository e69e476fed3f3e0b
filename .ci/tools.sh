# shellcheck shell=bash
# Tools that are built from source, once for each go.sum, and kept in the user's cache. `bash .ci/tools.sh` builds all that
# are missing; sourced, it gives a part have_tool, build_tool and tool_path. One builds at a time, others wait for it.

export GOFLAGS=-buildvcs=false
if [ -n "${GOPROXY:-}" ]; then export GOPROXY="${GOPROXY%%,*}"; fi
tools_cache="${XDG_CACHE_HOME:-$HOME/.cache}/mlops-backend-tools"

all_tools=(prometheus collector versitygw toxiproxy helm)
# It stands in for what Terraform would download, so only where there is Terraform.
if command -v terraform >/dev/null; then all_tools+=(terraform-stand-ins); fi
if [ "${CHECK_KUBERNETES:-}" = true ]; then all_tools+=(kubernetes); fi

# What reports call it.
tool_title() {
  case "$1" in
    prometheus) echo "Prometheus and promtool are built" ;;
    collector) echo "a collector is built" ;;
    versitygw) echo "an S3 server is built" ;;
    terraform-stand-ins) echo "stand-ins for Terraform's providers are built" ;;
    kubernetes) echo "a Kubernetes API server is built" ;;
    *) echo "$1 is built" ;;
  esac
}

# Its Go module.
tool_module() { if [ "$1" = prometheus ]; then echo infra/tools; else echo "infra/tools/$1"; fi; }

# Its folder: the name is a hash of what it is made of.
tool_folder() {
  local module sources
  module="$(tool_module "$1")"
  if [ "$1" = terraform-stand-ins ]; then
    sources="$(sha256sum "$module/main.go" "$module/go.sum" | sha256sum)" || return 1
  else
    sources="$(sha256sum "$module/go.sum")" || return 1
  fi
  printf '%s/%s' "$tools_cache" "${sources:0:16}"
}

# tool_path TOOL [PROGRAM]
tool_path() {
  local program="${2:-$1}"
  if [ "$program" = toxiproxy ]; then program=server; fi
  printf '%s/%s' "$(tool_folder "$1")" "$program"
}

have_tool() {
  case "$1" in
    prometheus) [ -x "$(tool_path prometheus)" ] && [ -x "$(tool_path prometheus promtool)" ] ;;
    kubernetes) [ -x "$(tool_path kubernetes kube-apiserver)" ] && [ -x "$(tool_path kubernetes server)" ] ;;
    *) [ -x "$(tool_path "$1")" ] ;;
  esac
}

# Builds one, unless who was first has done so meanwhile.
build_tool() {
  mkdir -p "$tools_cache"
  (
    flock -n 9 || {
      printf 'waiting for whoever builds tools now (lock %s)\n' "$tools_cache/lock"
      flock 9
    }
    if have_tool "$1"; then exit 0; fi
    case "$1" in
      prometheus)
        build_into prometheus github.com/prometheus/prometheus/cmd/prometheus github.com/prometheus/prometheus/cmd/promtool
        ;;
      collector | terraform-stand-ins) build_into "$1" . ;;
      versitygw) build_into versitygw github.com/versity/versitygw/cmd/versitygw ;;
      toxiproxy) build_into toxiproxy github.com/Shopify/toxiproxy/v2/cmd/server ;;
      helm) build_into helm helm.sh/helm/v4/cmd/helm ;;
      kubernetes) build_kubernetes ;;
      *)
        printf 'There is no tool %s.\n' "$1" >&2
        exit 1
        ;;
    esac
  ) 9>"$tools_cache/lock"
}

# build_into TOOL PACKAGE...: the folder is whole or not there, whoever ends it.
build_into() {
  local folder module into
  folder="$(tool_folder "$1")" && module="$(tool_module "$1")" || return 1
  shift
  into="$(mktemp -d "$folder.XXXXXX")" || return 1
  # shellcheck disable=SC2064 # now: this folder
  trap "rm -rf '$into'" EXIT
  trap 'exit 143' HUP INT TERM
  (cd "$module" && nice -n 19 go build -o "$into/" "$@") || return 1
  chmod 755 "$into"
  mv -T "$into" "$folder"
}

# The API server says a version only when it is told one, and helm asks for it.
build_kubernetes() {
  local version
  version="$(sed -n 's/^.*k8s.io\/kubernetes v//p' infra/tools/kubernetes/go.mod | head -n 1 | cut -d ' ' -f 1)"
  build_into kubernetes -ldflags "-X k8s.io/component-base/version.gitVersion=v$version
    -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=$(cut -d . -f 2 <<<"$version")" \
    k8s.io/kubernetes/cmd/kube-apiserver go.etcd.io/etcd/server/v3
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
  set -euo pipefail
  cd "$(dirname "${BASH_SOURCE[0]}")/.."
  status=0
  for tool in "${all_tools[@]}"; do
    have_tool "$tool" || build_tool "$tool" || status=1
    printf '%s %s\n' "$tool" "$(tool_folder "$tool")"
  done
  exit "$status"
fi
