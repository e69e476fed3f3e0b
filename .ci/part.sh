# shellcheck shell=bash
# Begins a part (.ci/parts): goes to the repository's root, makes `work`, a folder that goes with it, and counts checks.
# However the part ends, its last line is "N passed, N failed"; .ci/run reads the same from the file CI_RESULT, with the
# names of what failed, and indented below each the last that it said.
set -euo pipefail

passed=0
failed=0
failures=()
work=""
section="the beginning"
is_complete=false

say() {
  section="$*"
  printf '\n== %s\n' "$*"
}
pass() {
  passed=$((passed + 1))
  printf 'PASS %s\n' "$1"
}
fail() {
  failed=$((failed + 1))
  failures+=("$1")
  printf 'FAIL %s\n' "$1"
}
# One check, counted as one. What it calls ends it by `|| return 1`: -e is off within.
check() {
  local name="$1" status=0 said
  shift
  say "$name"
  said="$(mktemp "$work/said.XXXXXX")"
  "$@" >"$said" 2>&1 || status=$?
  cat "$said"
  if [ "$status" = 0 ]; then
    pass "$name"
  else
    fail "$name"
    [ ! -s "$said" ] || failures+=("$(tail -n 40 "$said" | cut -c1-200 | sed 's/^/    /')")
  fi
  rm "$said"
}
skip() { printf '\n== %s: skipped, %s\n' "$1" "$2"; }
# The last line of a part: it came to its end.
complete() { is_complete=true; }

# Runs vitest (the command after NAME) with a report, and adds that; a missing one, one without tests, or one that failed
# outside its tests is a failure. Of a hook that failed its file tells; of an error that nobody caught only the output does.
run_tests() {
  local name="$1" report="$work/report.json" output="$work/output.txt" counts status=0
  shift
  say "$name"
  rm -f "$report"
  "$@" --reporter=default --reporter=json --outputFile.json="$report" 2>&1 | tee "$output" || status=$?
  if counts="$(node -e '
    const report = JSON.parse(require("node:fs").readFileSync(process.argv[1], "utf8"));
    const { numPassedTests: passed, numFailedTests } = report;
    const isBroken = !report.success || passed === 0 || process.argv[2] !== "0";
    const failed = numFailedTests === 0 && isBroken ? 1 : numFailedTests;
    console.log(passed, failed);
    let named = 0;
    const tell = (name, lines) => {
      named += 1;
      console.log([name.replaceAll("\n", " "), ...lines.map((line) => `    ${line.slice(0, 200)}`)].join("\n"));
    };
    const linesOf = (text) => require("node:util").stripVTControlCharacters(text).split("\n");
    for (const { name, status, message, assertionResults } of report.testResults) {
      const failures = assertionResults.filter((one) => one.status === "failed");
      for (const one of failures) tell(one.fullName, linesOf(one.failureMessages.join("\n")).slice(0, 12));
      if (status === "failed" && (message || failures.length === 0))
        tell(require("node:path").relative(".", name), linesOf(message ?? "").slice(0, 12));
    }
    if (isBroken && named === 0) {
      const output = linesOf(require("node:fs").readFileSync(process.argv[3], "utf8"));
      const from = output.findIndex((line) => line.includes("Unhandled"));
      const said = (from < 0 ? output.slice(-40) : output.slice(from, from + 40)).filter((line) => line.trim() !== "");
      tell(`${process.argv[4]}, outside of all tests`, said);
    }
  ' "$report" "$status" "$output" "$name" 2>/dev/null)"; then
    add_counts "$name" "$counts"
  else
    fail "$name (no report)"
  fi
}
# Runs what prints "FAIL what" for each failure and at last "N passed, N failed" (the command after NAME), and adds that.
run_counted() {
  local name="$1" output="$work/counted.txt" line
  shift
  "$@" 2>&1 | tee "$output" || true
  line="$(grep -Eo '[0-9]+ passed, [0-9]+ failed' "$output" | tail -n 1 || true)"
  if [[ "$line" =~ ^([1-9][0-9]*)\ passed,\ ([0-9]+)\ failed$ ]]; then
    add_counts "$name" "${BASH_REMATCH[1]} ${BASH_REMATCH[2]}
$(sed -n 's/^FAIL //p' "$output")"
  else
    fail "$name (no result)"
  fi
}
# Adds "PASSED FAILED", and in further lines what failed.
add_counts() {
  local name="$1" part_passed part_failed names=()
  read -r part_passed part_failed <<<"$2"
  mapfile -t names < <(tail -n +2 <<<"$2")
  printf '%s: %s passed, %s failed\n' "$name" "$part_passed" "$part_failed"
  passed=$((passed + part_passed))
  failed=$((failed + part_failed))
  if [ "$part_failed" != 0 ]; then failures+=("${names[@]:-$name}"); fi
}

# A part that starts something says here how it is ended.
at_end() { :; }
finish_part() {
  local status=$?
  trap - EXIT
  trap : HUP INT TERM # a second signal must not cut this short
  set +e # the last line is printed whatever fails here
  exec >&3 2>&4 # a check that was cut short still writes into its file
  at_end
  [ -z "$work" ] || cat "$work"/said.* 2>/dev/null
  [ -z "$work" ] || rm -rf "$work"
  [ "$is_complete" = true ] || fail "ended early, at: $section (exit status $status)"
  if [ -n "${CI_RESULT:-}" ]; then
    {
      printf '%s %s\n' "$passed" "$failed"
      [ "$failed" = 0 ] || printf '%s\n' "${failures[@]}"
    } >"$CI_RESULT"
  fi
  printf '\n%s passed, %s failed\n' "$passed" "$failed"
  [ "$status" != 0 ] || [ "$failed" = 0 ] || status=1
  exit "$status"
}
exec 3>&1 4>&2
trap finish_part EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

cd "$(dirname "${BASH_SOURCE[0]}")/.."
work="$(mktemp -d "${TMPDIR:-/tmp}/mlops-backend-ci.XXXXXX")"
chmod 755 "$work" # user postgres must reach its folder below
export CRASH_KILLS="${CRASH_KILLS:-10}" # three where a developer runs the tests
. .ci/needs.sh
