#!/usr/bin/env bash
# The service against its own OpenAPI document: three minutes at most, of which schemathesis itself takes 100 s.
. "$(dirname "${BASH_SOURCE[0]}")/../part.sh"
needs packages

check_contract() {
  python_environment schemathesis "schemathesis>=4.32,<5" && node tests/contract/run.ts "$work/schemathesis/bin/st"
}
check "the service is what its OpenAPI document says (schemathesis)" check_contract
complete
