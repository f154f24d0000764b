#!/usr/bin/env bash
# Installs what AETOS needs on Debian 12, and only what is missing. With --tests also what the tests use.
# On a cluster, load the modules instead: CMake finds MPI, FFTW, PETSc and HDF5 the standard ways.
set -euo pipefail

packages=(
  g++ cmake make pkg-config git
  libopenmpi-dev openmpi-bin
  libfftw3-dev libfftw3-mpi-dev
  libhdf5-openmpi-dev
  libboost-dev libboost-program-options-dev
  libyaml-cpp-dev nlohmann-json3-dev libeigen3-dev
  libmatio-dev zlib1g-dev libtiff-dev libpng-dev libssl-dev
  libcgal-dev libgmp-dev libmpfr-dev
  libnanoflann-dev librandom123-dev libspdlog-dev libfmt-dev
  libgtest-dev
)
test_packages=(python3-h5py python3-ase python3-mrcfile python3-hyperspy python3-jsonschema hdf5-tools chromium shellcheck
  slurm-wlm munge clang libclang-rt-dev)

case "${1:-}" in
  "") ;;
  --tests) packages+=("${test_packages[@]}") ;;
  *)
    echo "usage: $0 [--tests]" >&2
    exit 2
    ;;
esac

if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
  echo "This is not a Debian system: nothing is installed. AETOS needs these, by their Debian names:"
  echo "  ${packages[*]} petsc-dev"
  exit 0
fi

missing=()
for package in "${packages[@]}"; do
  if [[ $(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true) != installed ]]; then
    missing+=("$package")
  fi
done
# PETSc of another source (a module, a build of one's own) counts if pkg-config finds it.
if ! pkg-config --exists PETSc 2>/dev/null; then
  missing+=(petsc-dev)
fi
if [[ ${#missing[@]} -eq 0 ]]; then
  exit 0
fi

as_root=()
if [[ $(id -u) -ne 0 ]]; then
  if ! command -v sudo >/dev/null; then
    echo "Missing packages, and neither root nor sudo at hand. As root, run:" >&2
    echo "  apt-get install ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo)
fi
echo "Installing ${missing[*]}"
apt_options=(-q -y -o DPkg::Lock::Timeout=120)
"${as_root[@]}" apt-get "${apt_options[@]}" update
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get "${apt_options[@]}" install --no-install-recommends "${missing[@]}"
