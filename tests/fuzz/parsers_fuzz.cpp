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
#include "aetos/io/json_text.hpp"
#include "aetos/io/structure_files.hpp"
#include "aetos/io/tilt_series.hpp"
#include "aetos/parallel/journal.hpp"
#include "hdf5_content.hpp"

/// One fuzzer for every parser of user files; AETOS_FUZZ_TARGET names the one that is fed. Whatever the
/// bytes, a parser may answer or throw one of AETOS's own exceptions; anything else is a finding.
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

template <class Read>
void attempt(Read&& read) {
  try {
    read();
  } catch (const InputError&) {
  } catch (const ResourceError&) {
  }
}

/// What `aetos info` does, with and without --json.
void describe(const std::string& path) {
  const auto description = io::describe_file(path);
  io::json_text(description);
  io::format_description(description);
}

void read_series(const std::string& path) {
  const auto info = io::read_tilt_series_info(path);
  const std::string signal = info.signals.empty() ? std::string{} : info.signals.front();
  if (info.tilts * info.ny * info.nx < 1000000) io::read_tilt_series_rows(path, signal, {0, info.ny});
}

void read_volume(const std::string& path) {
  const auto [nz, ny, nx] = io::read_volume_info(path).shape;
  if (nz * ny * nx < 1000000) io::read_volume_planes(path, {0, nz});
}

void read_images(const std::string& path) {
  attempt([&] { describe(path); });
  attempt([&] { read_series(path); });
  attempt([&] { read_volume(path); });
}

void feed(const std::uint8_t* data, std::size_t size) {
  static const std::string which = target();
  if (which == "config") {
    const auto path = write("c.yaml", data, size);
    const auto reading = config::read_config(path);
    if (reading.errors.empty()) config::resolved_yaml(reading.master);
  } else if (which == "structure") {
    const auto path = write("a.xyz", data, size);
    io::read_structure(path);
    describe(path);
  } else if (which == "mat") {
    read_images(write("s.mat", data, size));
  } else if (which == "mrc") {
    read_images(write("s.mrc", data, size));
  } else if (which == "tiff") {
    read_images(write("s.tif", data, size));
  } else if (which == "angles") {
    io::read_angles(write("a.rawtlt", data, size));
  } else if (which == "hdf5") {
    read_images(write("s.h5", data, size));
  } else if (which == "hdf5_content") {
    read_images(fuzz::write_hdf5_content(folder(), {data, size}));
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
  attempt([&] { feed(data, size); });
  return 0;
}
