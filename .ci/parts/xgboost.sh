#!/usr/bin/env bash
# Our models in Python's xgboost: it predicts the same.
. "$(dirname "${BASH_SOURCE[0]}")/../part.sh"
needs packages

say "models in xgboost"
if python_environment xgboost xgboost-cpu numpy && node tests/e2e/xgboost-export.ts "$work/models"; then
  run_counted "models in xgboost" "$work/xgboost/bin/python" tests/e2e/xgboost_predicts_the_same.py "$work/models"
else
  fail "models in xgboost (no result)"
fi
complete
