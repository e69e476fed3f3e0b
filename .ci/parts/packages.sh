#!/usr/bin/env bash
# The packages of the project as the lock file has them; without them nothing else can run.
. "$(dirname "${BASH_SOURCE[0]}")/../part.sh"

say "npm ci"
npm ci --no-audit --no-fund
pass "npm ci"
node_modules/.bin/node --version # Node 24, from the lock file
complete
