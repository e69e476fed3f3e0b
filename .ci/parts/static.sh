#!/usr/bin/env bash
# What can be said without running anything, and whether what is generated is what would be made now.
. "$(dirname "${BASH_SOURCE[0]}")/../part.sh"
needs packages

check "types, lint and dead code (npm run check)" npm run check

check_generated() {
  npm run --silent monitoring:generate || return 1
  if git rev-parse -q --verify HEAD >/dev/null 2>&1; then
    git diff --exit-code -- docs/metrics.md docs/monitoring.md docs/operations.md docs/telemetry.md .env.example infra/monitoring infra/helm || return 1
    [ -z "$(git status --porcelain -- infra/monitoring infra/helm)" ] # what is new is in no diff
  fi
}
check "generated files are up to date" check_generated
complete
