#!/usr/bin/env bash
# Our models in Python's xgboost: it predicts the same, and grows the same trees by the same parameters. As ONNX they predict the
# same in onnxruntime, also by the lines that the console gives.
. "$(dirname "${BASH_SOURCE[0]}")/../part.sh"
needs packages

say "models in xgboost"
if python_environment xgboost xgboost-cpu numpy pandas onnx onnxruntime && node tests/e2e/xgboost-export.ts "$work/models"; then
  run_counted "models in xgboost" "$work/xgboost/bin/python" tests/e2e/xgboost_predicts_the_same.py "$work/models"
else
  fail "models in xgboost (no result)"
fi

say "trees beside xgboost"
if [ -x "$work/xgboost/bin/python" ] && node tests/e2e/heavy-export.ts "$work/trees"; then
  run_counted "trees beside xgboost" "$work/xgboost/bin/python" tests/e2e/heavy_beside_xgboost.py "$work/trees"
else
  fail "trees beside xgboost (no result)"
fi

say "models in onnxruntime"
if [ -x "$work/xgboost/bin/python" ] && node tests/e2e/onnx-export.ts "$work/onnx-models"; then
  run_counted "models in onnxruntime" "$work/xgboost/bin/python" tests/e2e/onnx_predicts_the_same.py "$work/onnx-models"
else
  fail "models in onnxruntime (no result)"
fi

say "the console's lines for Python"
if [ -x "$work/xgboost/bin/python" ]; then
  run_counted "the console's lines for Python" node tests/e2e/snippet-in-python.ts "$work/xgboost/bin/python"
else
  fail "the console's lines for Python (no result)"
fi
complete
