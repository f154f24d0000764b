#!/usr/bin/env bash
# Installs what is missing, builds everything, runs every test, and says what was skipped and why.
# The last line is `N passed, N failed, N skipped`; the exit code is 1 if anything failed.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

passed=0 failed=0 skipped=0 finished=no
skips=() failures=()
output=$(mktemp)

# shellcheck disable=SC2317 # called by the trap
finish() {
  local line
  rm -f -- "$output"
  if [[ $finished == no ]]; then
    failures+=("the build or this script itself ended early")
    failed=$((failed + 1))
  fi
  echo
  for line in "${skips[@]}"; do echo "skipped: $line"; done
  for line in "${failures[@]}"; do echo "FAILED: $line"; done
  echo "$passed passed, $failed failed, $skipped skipped"
  if [[ $failed -gt 0 ]]; then exit 1; fi
}
trap finish EXIT

# Runs one GoogleTest program (the rest of the arguments) and adds up what it printed.
run_tests() {
  local name=$1 code=0 ok bad skip names
  shift
  echo "== $name"
  # mpirun gives programs a terminal, to which GoogleTest would write in colour.
  "$@" --gtest_color=no >"$output" 2>&1 || code=$?
  # An outcome's line ends in its time; the summary at the end of a program repeats names without one.
  ok=$(grep -cE '^\[       OK \] .*\([0-9]+ ms\)$' "$output" || true)
  bad=$(grep -cE '^\[  FAILED  \] .*\([0-9]+ ms\)$' "$output" || true)
  skip=$(grep -cE '^\[  SKIPPED \] .*\([0-9]+ ms\)$' "$output" || true)
  if [[ $code -ne 0 || $bad -gt 0 ]]; then
    cat -- "$output"
    names=$(sed -nE 's/^\[  FAILED  \] (.*) \([0-9]+ ms\)$/\1/p' "$output" | paste -sd ' ')
    failures+=("$name (exit code $code): ${names:-no test failed by itself; see the output above}")
    # A crash, or a failure seen on another rank than the one that prints, still counts.
    if [[ $bad -eq 0 ]]; then bad=1; fi
  else
    echo "   $ok passed, $skip skipped"
  fi
  # GoogleTest prints "file:line: Skipped", the reason, and then the name.
  while IFS= read -r names; do skips+=("$names"); done < <(awk '
    /: Skipped$/ { reason = ""; collecting = 1; next }
    /^\[  SKIPPED \] .*\([0-9]+ ms\)$/ {
      sub(/^\[  SKIPPED \] /, ""); sub(/ \([0-9]+ ms\)$/, "")
      print $0 ": " (reason == "" ? "no reason given" : reason); reason = ""; collecting = 0; next
    }
    collecting && NF { reason = reason (reason == "" ? "" : " ") $0 }' "$output")
  passed=$((passed + ok)) failed=$((failed + bad)) skipped=$((skipped + skip))
}

scripts/install_dependencies.sh --tests
cmake --preset release -DAETOS_TESTS=ON
cmake --build --preset release

export OMP_NUM_THREADS=1
if [[ $(id -u) -eq 0 ]]; then
  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi

for program in build/release/tests/*_tests; do
  name=$(basename -- "$program")
  if [[ $name == mpi_tests ]]; then
    run_tests "$name on 4 ranks" mpirun -n 4 --oversubscribe "$program"
    run_tests "$name on 16 ranks" mpirun -n 16 --oversubscribe "$program" --gtest_filter='CommunicatorTest.Gathers*'
  else
    run_tests "$name" "$program"
  fi
done

echo "== shellcheck"
if command -v shellcheck >/dev/null; then
  if shellcheck scripts/*.sh tests/*/*.sh jobs/*.sh jobs/*.sbatch .ci/run; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    failures+=("shellcheck of scripts, jobs and .ci/run")
  fi
else
  skipped=$((skipped + 1))
  skips+=("shellcheck of the scripts: shellcheck is not installed")
fi

echo "== fuzzers"
if command -v clang++ >/dev/null; then
  targets=$(find tests/fuzz/corpus -mindepth 1 -maxdepth 1 -type d | wc -l)
  tests/fuzz/run.sh 15 >"$output" 2>&1 || true
  cat -- "$output"
  clean=$(grep -cE '^[a-z0-9_]+: [1-9][0-9]* executions, 0 findings' "$output" || true)
  passed=$((passed + clean)) failed=$((failed + targets - clean))
  if [[ $clean -ne $targets ]]; then failures+=("fuzzers: $((targets - clean)) of $targets targets"); fi
else
  skipped=$((skipped + 1))
  skips+=("fuzzers: clang is not installed")
fi
finished=yes
