#!/usr/bin/env bash
# README's test command, and then the tests that take long: together they are `npm run test:all`.
. "$(dirname "${BASH_SOURCE[0]}")/../part.sh"
needs packages

run_tests "npm test" npm test --
run_tests "tests that take long" npm run test:all -- --project long
complete
