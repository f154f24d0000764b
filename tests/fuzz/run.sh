#!/usr/bin/env bash
# Fuzzes the parsers of user files: tests/fuzz/run.sh SECONDS [TARGET...], each target for that long, one after the other.
# Targets: config structure mat mrc tiff angles hdf5 journal. Findings are kept in build/fuzz/findings.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.."

seconds=${1:?usage: tests/fuzz/run.sh SECONDS [TARGET...]}
shift
targets=("$@")
if [[ ${#targets[@]} -eq 0 ]]; then targets=(config structure mat mrc tiff angles hdf5 journal); fi

cmake --preset fuzz >/dev/null
cmake --build --preset fuzz
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_btl_vader_single_copy_mechanism=none
# MPI and HDF5 keep small things until the end; what matters here is memory that a parser misuses.
export ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1 UBSAN_OPTIONS=print_stacktrace=1
failed=0
for target in "${targets[@]}"; do
  mkdir -p "build/fuzz/grown/$target" "build/fuzz/findings"
  echo "== $target"
  AETOS_FUZZ_TARGET=$target build/fuzz/bin/parsers_fuzz -max_total_time="$seconds" -max_len=65536 -rss_limit_mb=2048 \
    -malloc_limit_mb=512 -timeout=20 -print_final_stats=1 -artifact_prefix="build/fuzz/findings/$target-" \
    "build/fuzz/grown/$target" "tests/fuzz/corpus/$target" >"build/fuzz/$target.log" 2>&1 || failed=1
  grep -E 'stat::number_of_executed_units|ERROR|SUMMARY|runtime error' "build/fuzz/$target.log" || tail -3 "build/fuzz/$target.log"
done
exit "$failed"
