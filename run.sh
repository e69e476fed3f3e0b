#!/usr/bin/env bash
# ./run.sh COMMAND: a list of the commands; each is a function of its name in a file of infra/run.
set -euo pipefail
called_from="$PWD"
cd "$(dirname "${BASH_SOURCE[0]}")"

usage() {
  cat <<'TEXT'
Usage: ./run.sh COMMAND

  up       starts backend, Prometheus and Grafana; makes an API key unless there is one; what it decides stands in .env
  down     stops them; data stays (down -v removes it)
  dev      the same as up, with the sources mounted and restarted on change, in the foreground
  demo     uploads, trains and predicts against the running backend, so that the dashboard has something to show
  smoke    checks that backend, metrics, the Prometheus target and Grafana answer
  logs     follows the logs (logs backend: of one service)
  backup   writes database and files into one archive (backup FILE: into that), read back; the backend stops meanwhile
  restore  puts such an archive in the place of database and files (restore FILE); what was there is kept beside it
TEXT
}

fail() {
  printf '%s\n' "$1" >&2
  exit 1
}

. infra/run/env-file.sh    # .env, read and written
. infra/run/profiles.sh    # which files of Compose the profiles need
. infra/run/stack-files.sh # the files that the containers read
. infra/run/stack.sh       # up, down, dev, logs
. infra/run/smoke.sh
. infra/run/demo.sh
. infra/run/archive.sh # backup, restore

command="${1:-}"
[ $# -gt 0 ] && shift
case "$command" in
  up | down | dev | demo | smoke | logs | backup | restore) "$command" "$@" ;;
  "" | help | -h | --help) usage ;;
  *)
    usage >&2
    exit 2
    ;;
esac
