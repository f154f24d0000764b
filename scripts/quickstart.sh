#!/usr/bin/env bash
# From a fresh Debian 12 to a reconstructed particle: installs what is missing, builds, and runs the demo on two
# processes. The last four lines are the run's own: atoms found, identified, RMSD, path of the report.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

scripts/install_dependencies.sh
cmake --preset release
cmake --build --preset release --target aetos

export OMP_NUM_THREADS=1
mpirun_options=(-n 2)
if [[ $(id -u) -eq 0 ]]; then
  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi
if [[ $(nproc) -lt 2 ]]; then
  mpirun_options+=(--oversubscribe)
fi
# A run talks on standard error; whoever reads this script's output wants the result too.
mpirun "${mpirun_options[@]}" build/release/bin/aetos run configs/demo.yaml --overwrite 2>&1
