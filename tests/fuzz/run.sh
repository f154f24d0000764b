#!/usr/bin/env bash
# Fuzzes the parsers of user files: tests/fuzz/run.sh SECONDS [TARGET...], each target for that long, one after the other.
# Targets: config structure mat mrc tiff angles hdf5 hdf5_content journal. Findings are kept in build/fuzz/findings. HDF5 itself
# (1.10.8) breaks on forged files; what breaks inside it is listed and counted, but only our own code fails the run.
# AETOS_FUZZ_JOBS processes at once (1) fuzz a target together.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.."

seconds=${1:?usage: tests/fuzz/run.sh SECONDS [TARGET...]}
shift
targets=("$@")
if [[ ${#targets[@]} -eq 0 ]]; then mapfile -t targets < <(ls tests/fuzz/corpus); fi

cmake --preset fuzz >/dev/null
cmake --build --preset fuzz >/dev/null
fuzzer=$PWD/build/fuzz/bin/parsers_fuzz findings=build/fuzz/findings
scratch=$(mktemp -d "${TMPDIR:-/dev/shm}/aetos-fuzz-XXXXXX")
trap 'rm -rf -- "$scratch"' EXIT
export TMPDIR=$scratch OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_btl_vader_single_copy_mechanism=none
# MPI and HDF5 keep small things until the end; what matters here is memory that a parser misuses.
export ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1 UBSAN_OPTIONS=print_stacktrace=1
declare -A patience_s=([hdf5]=3) # the library goes round in circles for ever

# The stack of a finding, run again by itself.
stack_of() {
  AETOS_FUZZ_TARGET=$1 "$fuzzer" "${limits[@]}" "$2" 2>&1 | grep -E '^ *#[0-9]+ 0x' || true
}

rm -rf "$findings"
mkdir -p "$findings"
failed=0
TIMEFORMAT='%U s of processor and %S s of system'
for target in "${targets[@]}"; do
  limits=(-max_len=65536 -rss_limit_mb=2048 -malloc_limit_mb=512 -timeout="${patience_s[$target]:-10}")
  log=build/fuzz/$target.log
  mkdir -p "build/fuzz/grown/$target"
  used=$({ time AETOS_FUZZ_TARGET=$target "$fuzzer" -max_total_time="$seconds" "${limits[@]}" -fork="${AETOS_FUZZ_JOBS:-1}" \
    -ignore_crashes=1 -ignore_ooms=1 -ignore_timeouts=1 -artifact_prefix="$findings/$target-" \
    "build/fuzz/grown/$target" "tests/fuzz/corpus/$target" >"$log" 2>&1; } 2>&1 || true)
  runs=$(grep -oE '^#[0-9]+' "$log" | tail -1 | tr -d '#' || true)
  for finding in "$findings/$target"-*; do
    [[ -e $finding ]] || continue
    if [[ $(jobs -rp | wc -l) -ge ${AETOS_FUZZ_JOBS:-1} ]]; then wait -n; fi
    stack_of "$target" "$finding" >"$scratch/${finding##*/}.stack" &
  done
  wait
  ours=0 theirs=0
  for finding in "$findings/$target"-*; do
    [[ -e $finding ]] || continue
    stack=$(<"$scratch/${finding##*/}.stack")
    if [[ $stack == *libhdf5* ]]; then
      theirs=$((theirs + 1))
    elif [[ -z $stack ]]; then
      echo "  $finding: did not happen again by itself"
    else
      ours=$((ours + 1))
      printf '  %s:\n%s\n' "$finding" "$stack"
    fi
  done
  echo "$target: ${runs:-0} executions, $ours findings, $theirs inside the HDF5 library ($used)"
  # A target that does not start is a finding too.
  if [[ $ours -gt 0 || ${runs:-0} -eq 0 ]]; then failed=1; fi
done
exit "$failed"
