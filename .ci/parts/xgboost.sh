#!/usr/bin/env bash
# Our models in Python's xgboost: it predicts the same.
. "$(dirname "${BASH_SOURCE[0]}")/../part.sh"
needs packages

say "models in xgboost"
xgboost_line=""
if python_environment xgboost xgboost-cpu numpy && node tests/e2e/xgboost-export.ts "$work/models"; then
  "$work/xgboost/bin/python" tests/e2e/xgboost_predicts_the_same.py "$work/models" 2>&1 | tee "$work/xgboost.log" || true
  xgboost_line="$(grep -Eo '[0-9]+ passed, [0-9]+ failed' "$work/xgboost.log" | tail -n 1 || true)"
fi
if [[ "$xgboost_line" =~ ^([1-9][0-9]*)\ passed,\ ([0-9]+)\ failed$ ]]; then
  add_counts "models in xgboost" "${BASH_REMATCH[1]} ${BASH_REMATCH[2]}
$(sed -n 's/^FAIL //p' "$work/xgboost.log")"
else
  fail "models in xgboost (no result)"
fi
complete
