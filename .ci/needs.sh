# shellcheck shell=bash
# Part of part.sh: what a part needs, said and brought. What can't be had is one failure, and the part goes on: its checks
# say what they miss.

. .ci/tools.sh

# needs NAME...: `packages`, a tool of tools.sh, or a name below.
needs() {
  local name
  printf 'needs: %s\n' "$*"
  for name in "$@"; do
    section="needs $name"
    case "$name" in
      packages) use_packages ;;
      postgresql) find_postgres || { install_packages postgresql && find_postgres; } || fail "PostgreSQL by apt" ;;
      alertmanager)
        { command -v prometheus-alertmanager && command -v amtool; } >/dev/null ||
          install_packages prometheus-alertmanager || fail "Alertmanager by apt"
        ;;
      chromium) command -v chromium >/dev/null || install_packages chromium || fail "Chromium by apt" ;;
      nginx) [ -x /usr/sbin/nginx ] || install_packages nginx || fail "nginx by apt" ;;
      *) have_tool "$name" || build_tool "$name" || fail "$name is built" ;;
    esac
  done
}

# Node 24 and all programs of the lock file.
use_packages() {
  if [ ! -x node_modules/.bin/node ]; then
    printf 'npm ci first: the packages of the project are not there.\n' >&2
    exit 1
  fi
  export PATH="$PWD/node_modules/.bin:$PATH"
}

# The package lists of a bare machine are empty or old; elsewhere they need not be had anew.
install_packages() {
  local install=(env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends)
  "${install[@]}" "$@" >/dev/null 2>&1 || { apt-get update -qq && "${install[@]}" "$@" >/dev/null; }
}

# A virtual environment of Python with these packages, in $work/NAME.
python_environment() {
  local name="$1"
  shift
  python3 -m venv "$work/$name" && "$work/$name/bin/pip" install -q --disable-pip-version-check "$@"
}

find_postgres() {
  local folder
  for folder in /usr/lib/postgresql/15/bin $(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -rV) \
    "$(dirname "$(command -v initdb || echo /nowhere/initdb)")"; do
    if [ -x "$folder/initdb" ] && [ -x "$folder/pg_ctl" ]; then
      postgres_bin="$folder"
      return 0
    fi
  done
  return 1
}

# Where Terraform's registry can't be reached: a folder of <host>/hashicorp/aws, which machines without it may have where
# software is put. Sets TERRAFORM_PROVIDER_MIRROR, empty without one.
find_terraform_mirror() {
  local found
  if [ -z "${TERRAFORM_PROVIDER_MIRROR:-}" ]; then
    found="$(find /opt /srv /usr/local /usr/share "$HOME" -xdev -maxdepth 5 -type d -path '*/hashicorp/aws' -print -quit \
      2>/dev/null || true)"
    TERRAFORM_PROVIDER_MIRROR="${found%/*/hashicorp/aws}"
  fi
  if [ -d "$TERRAFORM_PROVIDER_MIRROR" ]; then export TERRAFORM_PROVIDER_MIRROR; else TERRAFORM_PROVIDER_MIRROR=""; fi
}
