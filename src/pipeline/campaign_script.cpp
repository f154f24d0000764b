// The text of the job script stands here once; jobs/ holds a copy of it for users without a campaign.
#include "aetos/pipeline/campaign_script.hpp"

#include <fmt/format.h>

namespace aetos::pipeline::campaign {
namespace {

constexpr const char* kHead = R"sh(#!/bin/bash
# Many AETOS runs as one job array, one run per index. LIST names a folder per line; each holds config.yaml, and its run
# goes into the folder's run/. A run that SLURM stops, at its time limit say, is requeued and goes on; one that
# fails is started again a few times; none of them stops the others. Copy, edit the marked place:
#   ls -d particles/*/ > list.txt
#   sbatch --array=0-199 array_over_particles.sbatch list.txt
# SLURM's MaxArraySize limits the index, not the count: a third word is added to the index, so that the next 1000
# lines are --array=0-999 array_over_particles.sbatch list.txt 1000. `aetos campaign submit` does all of this.
# A fourth word is the command instead of `run`, one stage say: array_over_particles.sbatch list.txt 0 simulate.
#
#SBATCH --job-name=aetos
)sh";

constexpr const char* kNumberOfRanks =
    R"sh(# One rank per core. Always --ntasks: mpirun takes its number of ranks from it, and with --cpus-per-task or --nodes
# alone it starts as many as there are nodes, or one.
)sh";

constexpr const char* kAfterOptions =
    R"sh(# SLURM sends USR1 to this shell (B:) 120 s before the limit; the shell passes it on.
#SBATCH --signal=B:USR1@120
#SBATCH --requeue
# Without append, a requeued job empties its own log.
#SBATCH --open-mode=append
#SBATCH --output=aetos-%A_%a.log
set -uo pipefail

list=${1:?usage: sbatch --array=0-N array_over_particles.sbatch LIST [OFFSET [COMMAND]]}
offset=${2:-0} command=${3:-run}
)sh";

constexpr const char* kSite = R"sh(
# ---- Your cluster's modules or Spack environment, the program, the launcher ------------------------------------
)sh";

constexpr const char* kBody = R"sh(export OMP_NUM_THREADS=1
# export HDF5_USE_FILE_LOCKING=FALSE   # on file systems without locks
scratch=/tmp   # on each node, for MPI's own files
# -----------------------------------------------------------------------------------------------------------------

job=${SLURM_ARRAY_JOB_ID:-$SLURM_JOB_ID}_${SLURM_ARRAY_TASK_ID:-0}
line=$((offset + ${SLURM_ARRAY_TASK_ID:-0} + 1))
folder=$(sed -n "${line}p" "$list")
folder=${folder%/}
if [[ ! -f $folder/config.yaml ]]; then
  echo "line $line of $list: there is no '$folder/config.yaml'" >&2
  exit 2
fi
exec >>"$folder/job.log" 2>&1
echo "job $job on ${SLURM_JOB_NODELIST:-this machine}, start $((${SLURM_RESTART_COUNT:-0} + 1)), $(date)"

# A folder of the job's own on each of its nodes, which goes with the job.
own_scratch=$scratch/aetos-$job
on_each_node() {
  timeout 60 srun --mpi=none --overlap --nodes="$SLURM_JOB_NUM_NODES" --ntasks="$SLURM_JOB_NUM_NODES" --ntasks-per-node=1 "$@"
}
# shellcheck disable=SC2016 # the other shells expand it; what somebody else has put there is not used
if on_each_node bash -c 'mkdir -m 700 "$1" 2>/dev/null || [[ -d $1 && -O $1 && ! -L $1 ]]' bash "$own_scratch"; then
  export TMPDIR=$own_scratch
fi
tidy() {
  on_each_node rm -rf "$own_scratch" 2>/dev/null
}
trap tidy EXIT

# How the last start ended (code), how many have failed, how many in a row made no progress.
code=0 failures=0 idle=0 kept=$folder/outcome
if [[ $command != run ]]; then
  kept+=-$command
fi
if [[ -f $kept ]]; then
  read -r code failures last_job idle <"$kept"
  # A stage submitted anew counts from the start; the retries of whole runs are the campaign's.
  if [[ $command != run && $last_job != "$job" ]]; then
    failures=0 idle=0
  fi
fi
keep_outcome() {
  echo "$code $failures $job ${idle:-0}" >"$kept.partial"
  mv "$kept.partial" "$kept"
}

# What a run has on disk, as one number. What every start writes anew does not count as progress.
work_on_disk() {
  find "$folder/run" -type f -size +0 ! -name log.txt ! -name '*lock*' ! -name run.json ! -name config.resolved.yaml \
    ! -name summary.json -printf '%P %s %T@\n' 2>/dev/null | sort | cksum
}
before=$(work_on_disk)

# A run that has begun is resumed, whichever job began it.
options=()
if [[ -f $folder/run/run.json ]]; then
  options+=(--resume)
fi

# A lock that a lost node left: AETOS cannot tell whether the job that holds it lives, SLURM can.
lock=$folder/run/.aetos.lock
holder=$(sed -n 's/^job \([0-9]*\) .*/\1/p' "$lock" 2>/dev/null)
if [[ -n $holder && -O $lock && $holder != "$SLURM_JOB_ID" ]] && alive=$(squeue --noheader --array --format=%A --user="$(id -un)") &&
  ! grep -qx "$holder" <<<"$alive"; then
  rm -f "$lock"
fi

# A shell runs no trap while a program runs in the foreground, so the launcher runs in the background.
signalled=0
trap 'signalled=1; kill -USR1 "$pid"' USR1
"${launcher[@]}" "$aetos" "$command" "$folder/config.yaml" --output "$folder/run" "${options[@]}" &
pid=$!
# A signal ends `wait` early with a code of its own: wait again, until the program's own code comes.
while :; do
  code=0
  wait "$pid" || code=$?
  if [[ $signalled -eq 0 ]]; then break; fi
  signalled=0
done
# When a node is lost, mpirun may end before the srun that it started, which then ends what it thinks is still its
# step: in the next start, the step of the same number.
pkill -KILL --session 0 --exact srun
echo "aetos ended with code $code"

again=no
if [[ $code -eq 75 ]]; then
  # Stopped early, all work safe: go on in the next start, unless two in a row left nothing new on disk.
  if [[ $(work_on_disk) == "$before" ]]; then idle=$((${idle:-0} + 1)); else idle=0; fi
  if [[ $idle -lt 2 ]]; then again=yes; fi
elif [[ $code -ne 0 ]]; then
  # Bad input (2) would fail the same way again.
  failures=$((failures + 1))
  if [[ $code -ne 2 && $failures -le $max_retries ]]; then again=yes; fi
fi
keep_outcome
if [[ $again == yes ]]; then
  tidy
  scontrol requeue "$job"
  # SLURM ends this shell when it requeues; until then there is nothing left to do.
elif [[ $code -eq 75 ]]; then
  echo "Two starts in a row made no progress: not requeued. Is the time limit too short for one piece of work?"
fi
exit "$code"
)sh";

constexpr const char* kUsualSetup =
    "# module load openmpi fftw hdf5 petsc      or: spack env activate aetos\n";

/// A newline in an option would end its line and begin another.
std::string one_line(std::string text) {
  for (char& c : text)
    if (c == '\n' || c == '\r') c = ' ';
  return text;
}

std::string directive(const std::string& option) {
  return "#SBATCH " + one_line(option) + "\n";
}

}  // namespace

std::string shell_word(const std::string& text) {
  const char* plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./+:,=@%";
  if (!text.empty() && text.find_first_not_of(plain) == std::string::npos) return text;
  std::string word = "'";
  for (const char c : text) word += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return word + "'";
}

namespace {

/// Who pays, where, and what else the user asked for.
std::string site_directives(const config::SlurmOptions& slurm) {
  std::string text;
  if (slurm.account) text += directive("--account=" + *slurm.account);
  if (slurm.partition) text += directive("--partition=" + *slurm.partition);
  for (const auto& option : slurm.options) text += directive(option);
  return text;
}

std::string site_setup(const config::SlurmOptions& slurm, const std::string& program) {
  std::string text;
  for (const auto& line : slurm.setup) text += line + "\n";
  if (slurm.setup.empty()) text += kUsualSetup;
  return text + "aetos=${AETOS:-" + shell_word(program) + "}\n";
}

}  // namespace

std::string collector_script(const config::SlurmOptions& slurm, const std::string& program,
                             const std::string& folder) {
  return "#!/bin/bash\n# The table over all members; `aetos campaign submit` lets it start when its arrays "
         "have "
         "ended.\n" +
         site_directives(slurm) + directive("--nodes=1") + directive("--ntasks=1") + directive("--time=60") +
         "set -uo pipefail\n" + site_setup(slurm, program) + "\"$aetos\" campaign collect " +
         shell_word(folder) + "\n";
}

std::string job_script(const config::SlurmOptions& slurm, int max_retries, const std::string& program) {
  std::string text = kHead;
  text += site_directives(slurm);
  text += directive(fmt::format("--nodes={}", slurm.nodes)) + kNumberOfRanks;
  text += directive(fmt::format("--ntasks={}", slurm.ranks)) + directive("--time=" + slurm.time);
  text += kAfterOptions + fmt::format("max_retries={}\n", max_retries) + kSite;
  text += site_setup(slurm, program);
  text += slurm.launcher == "srun" ? "launcher=(srun --mpi=pmix)\n" : "launcher=(mpirun)\n";
  return text + kBody;
}

}  // namespace aetos::pipeline::campaign
