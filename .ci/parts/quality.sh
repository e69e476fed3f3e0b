#!/usr/bin/env bash
# Our models are as good on a few real tables as docs/quality.md says that they were, beside other libraries on the same rows.
. "$(dirname "${BASH_SOURCE[0]}")/../part.sh"
needs packages
check "quality on real tables" node tests/quality/run.ts --small --work "$work/quality"
complete
