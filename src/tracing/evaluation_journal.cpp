#include "evaluation_journal.hpp"

#include <cstdint>
#include <cstring>
#include <vector>

#include "aetos/parallel/crc32c.hpp"

namespace aetos::tracing {
namespace {

/// Before the gradient in each record.
struct Head {
  double value = 0;
  std::uint64_t crc = 0;  ///< CRC32C of the place
};

}  // namespace

EvaluationJournal::EvaluationJournal(const std::filesystem::path& folder, const std::string& fingerprint,
                                     double interval_s)
    : before_(Journal::scan(folder, fingerprint)), journal_(folder, fingerprint, 0, interval_s) {}

bool EvaluationJournal::recall(std::span<const double> x, double& value, std::span<double> gradient) {
  const auto place = before_.find(next_);
  if (place == before_.end() || place->second.bytes != sizeof(Head) + gradient.size_bytes()) return false;
  const auto record = Journal::read(place->second);
  Head head;
  std::memcpy(&head, record.data(), sizeof(head));
  if (head.crc != crc32c(std::as_bytes(x))) return false;
  value = head.value;
  std::memcpy(gradient.data(), record.data() + sizeof(head), gradient.size_bytes());
  ++next_;
  return true;
}

void EvaluationJournal::keep(std::span<const double> x, double value, std::span<const double> gradient) {
  const Head head{value, crc32c(std::as_bytes(x))};
  std::vector<std::byte> record(sizeof(head) + gradient.size_bytes());
  std::memcpy(record.data(), &head, sizeof(head));
  std::memcpy(record.data() + sizeof(head), gradient.data(), gradient.size_bytes());
  journal_.append(next_++, record);
}

}  // namespace aetos::tracing
