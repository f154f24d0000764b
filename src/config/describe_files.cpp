// The files section: advice for MPI-IO.
#include "describe.hpp"

namespace aetos::config {
namespace {

/// What every MPI takes: the standard asks for names and values of at least 32 and 256 bytes.
constexpr std::size_t kLongestName = 31, kLongestValue = 255;

/// MPI ignores a hint that it does not know, but a word that is none at all is a mistake.
Codec<std::string> hint() {
  auto codec = text("NAME=VALUE");
  codec.read = [plain = codec.read](Reader& r, const YamlNode& node, std::string& out) {
    plain(r, node, out);
    const auto at = out.find('=');
    const bool fits = at != std::string::npos && at > 0 && at <= kLongestName && at + 1 < out.size() &&
                      out.size() - at <= kLongestValue;
    if (!fits)
      throw InputError(node.place, io::describe_found(node), "NAME=VALUE, as in romio_cb_write=enable");
  };
  return codec;
}

}  // namespace

Codec<FileOptions> describe_files() {
  using S = FileOptions;
  const auto ranks = optional("auto", whole(1, 1000000)), MiB = optional("auto", whole(1, 1024));
  return group<S>({
      field<S>("aggregators", &S::aggregators, ranks,
               "ranks that gather what the others have and write it (cb_nodes); auto: MPI chooses"),
      field<S>("buffer_MiB", &S::buffer_MiB, MiB,
               "that each of them gathers before it writes (cb_buffer_size)"),
      field<S>("stripes", &S::stripes, optional("auto", whole(1, 65535)),
               "storage targets that a file is spread over, on Lustre and its like (striping_factor); auto: "
               "the folder's setting"),
      field<S>("stripe_MiB", &S::stripe_MiB, MiB, "bytes on one target before the next (striping_unit)"),
      field<S>("hints", &S::hints, list(hint()), "further hints, as in [romio_cb_write=enable]"),
  });
}

std::vector<std::pair<std::string, std::string>> FileOptions::for_mpi() const {
  std::vector<std::pair<std::string, std::string>> all;
  const auto add = [&](const char* name, const Auto<int>& value, long unit) {
    if (value) all.emplace_back(name, std::to_string(*value * unit));
  };
  constexpr long MiB = 1L << 20;
  add("cb_nodes", aggregators, 1);
  add("cb_buffer_size", buffer_MiB, MiB);
  add("striping_factor", stripes, 1);
  add("striping_unit", stripe_MiB, MiB);
  for (const auto& hint : hints) {
    const auto at = hint.find('=');
    all.emplace_back(hint.substr(0, at), hint.substr(at + 1));
  }
  return all;
}

}  // namespace aetos::config
