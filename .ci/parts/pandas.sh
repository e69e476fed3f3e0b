#!/usr/bin/env bash
# docs/tables.md says of each CSV fixture whether pandas reads it as we do.
. "$(dirname "${BASH_SOURCE[0]}")/../part.sh"

say "CSV files in pandas"
# Another version may read some otherwise: then the page is to be looked at.
if python_environment pandas 'pandas==3.1.*'; then
  run_counted "CSV files in pandas" "$work/pandas/bin/python" tests/e2e/pandas_reads_otherwise.py
else
  fail "CSV files in pandas (no result)"
fi
complete
