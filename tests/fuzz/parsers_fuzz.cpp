#include <fcntl.h>
#include <mpi.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "aetos/config/load.hpp"
#include "aetos/core/error.hpp"
#include "aetos/core/log.hpp"
#include "aetos/io/inspect.hpp"
#include "aetos/io/structure_files.hpp"
#include "aetos/io/tilt_series.hpp"
#include "aetos/parallel/journal.hpp"

/// One fuzzer for every parser of user files; AETOS_FUZZ_TARGET names the one that is fed. Whatever the bytes, a parser
/// may answer or throw one of AETOS's own exceptions; anything else is a finding.
namespace {

namespace fs = std::filesystem;
using namespace aetos;

std::string target() {
  const char* name = std::getenv("AETOS_FUZZ_TARGET");
  return name == nullptr ? "config" : name;
}

const fs::path& folder() {
  static const fs::path made = [] {
    std::string name = (fs::temp_directory_path() / "aetos-fuzz-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) std::abort();
    return fs::path(name);
  }();
  return made;
}

std::string write(const std::string& name, const std::uint8_t* data, std::size_t size) {
  const auto path = (folder() / name).string();
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  if (file < 0 || ::write(file, data, size) != static_cast<ssize_t>(size)) std::abort();
  close(file);
  return path;
}

void read_series(const std::string& path) {
  const auto info = io::read_tilt_series_info(path);
  const std::string signal = info.signals.empty() ? std::string{} : info.signals.front();
  if (info.tilts * info.ny * info.nx < 1000000) io::read_tilt_series_rows(path, signal, {0, info.ny});
}

void feed(const std::uint8_t* data, std::size_t size) {
  static const std::string which = target();
  if (which == "config") {
    const auto path = write("c.yaml", data, size);
    const auto reading = config::read_config(path);
    if (reading.errors.empty()) config::resolved_yaml(reading.master);
  } else if (which == "structure") {
    io::read_structure(write("a.xyz", data, size));
  } else if (which == "mat") {
    read_series(write("s.mat", data, size));
  } else if (which == "mrc") {
    read_series(write("s.mrc", data, size));
  } else if (which == "tiff") {
    read_series(write("s.tif", data, size));
  } else if (which == "angles") {
    io::read_angles(write("a.rawtlt", data, size));
  } else if (which == "hdf5") {
    const auto path = write("s.h5", data, size);
    io::describe_file(path);
    read_series(path);
  } else if (which == "journal") {
    fs::create_directories(folder() / "j");
    write("j/journal-00000-0001.aj", data, size);
    for (const auto& [key, place] : Journal::scan(folder() / "j", "fingerprint")) Journal::read(place);
  } else {
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  MPI_Init(argc, argv);
  log::configure(log::Level::off, false);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    feed(data, size);
  } catch (const InputError&) {
  } catch (const ResourceError&) {
  }
  return 0;
}
