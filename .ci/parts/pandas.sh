#!/usr/bin/env bash
# docs/tables.md says of each CSV fixture whether pandas reads it as we do.
. "$(dirname "${BASH_SOURCE[0]}")/../part.sh"

say "CSV files in pandas"
pandas_line=""
# Another version may read some otherwise: then the page is to be looked at.
if python_environment pandas 'pandas==3.1.*'; then
  "$work/pandas/bin/python" tests/e2e/pandas_reads_otherwise.py 2>&1 | tee "$work/pandas.log" || true
  pandas_line="$(grep -Eo '[0-9]+ passed, [0-9]+ failed' "$work/pandas.log" | tail -n 1 || true)"
fi
if [[ "$pandas_line" =~ ^([1-9][0-9]*)\ passed,\ ([0-9]+)\ failed$ ]]; then
  add_counts "CSV files in pandas" "${BASH_REMATCH[1]} ${BASH_REMATCH[2]}
$(sed -n 's/^FAIL //p' "$work/pandas.log")"
else
  fail "CSV files in pandas (no result)"
fi
complete
