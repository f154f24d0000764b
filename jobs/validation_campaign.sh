#!/bin/bash
# Many particles, each simulated, reconstructed, traced, compared with the truth and analysed, a job array per stage: a
# particle's stage starts when its own stage before has ended well, whatever became of the other particles. Each
# stage gets ranks of its own. Run on the login node; copy, edit the marked place. LIST names a folder per line, each
# with a config.yaml:
#   ls -d particles/*/ > list.txt
#   validation_campaign.sh list.txt
# Run it again to go on with what failed: stages that are done take a moment. One job per particle for all stages, sweeps
# and a table of the results: `aetos campaign`.
set -euo pipefail

list=${1:?usage: validation_campaign.sh LIST}

# ---- Stages, ranks, time limits; options of sbatch for all, as in (--partition=standard --account=mine) ----------
stages=(simulate reconstruct trace compare analyze)
declare -A ranks=([simulate]=128 [reconstruct]=16 [trace]=16 [compare]=1 [analyze]=1)
declare -A time=([simulate]=12:00:00 [reconstruct]=4:00:00 [trace]=4:00:00 [compare]=30 [analyze]=1:00:00)
common=()
script=$(dirname -- "${BASH_SOURCE[0]}")/array_over_particles.sbatch   # the modules stand in it
# -----------------------------------------------------------------------------------------------------------------

last=$(($(grep -c '' "$list") - 1))   # also of a list without a final newline
if [[ $last -lt 0 ]]; then
  echo "$list is empty; expected a folder per line" >&2
  exit 2
fi
previous=
for stage in "${stages[@]}"; do
  options=(--parsable --array="0-$last" --job-name="aetos-$stage" --ntasks="${ranks[$stage]}" --time="${time[$stage]}")
  if [[ -n $previous ]]; then
    # aftercorr: index i waits for index i; without the second option it would wait for ever where that one failed.
    options+=(--dependency="aftercorr:$previous" --kill-on-invalid-dep=yes)
  fi
  previous=$(sbatch "${options[@]}" ${common[@]+"${common[@]}"} "$script" "$list" 0 "$stage")
  previous=${previous%%;*}
  echo "$stage: job $previous"
done
