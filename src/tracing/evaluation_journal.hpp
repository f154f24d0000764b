#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <span>
#include <string>

#include "aetos/parallel/journal.hpp"

namespace aetos::tracing {

/// The evaluations that minimisers asked for, in their order, safe on disk. A minimiser that is given the
/// same values takes the same way, so that a refinement which starts again goes through these at once and on
/// from the last. Used by one process alone.
class EvaluationJournal {
 public:
  /// Reads what earlier attempts left in `folder`. Throws ResourceError if it cannot be written.
  EvaluationJournal(const std::filesystem::path& folder, const std::string& fingerprint, double interval_s);

  std::size_t found() const { return before_.size(); }  ///< evaluations of earlier attempts
  /// The next evaluation, if it was kept and was one at `x`; false: compute it, and keep it.
  bool recall(std::span<const double> x, double& value, std::span<double> gradient);
  /// Throws ResourceError on a full disk.
  void keep(std::span<const double> x, double value, std::span<const double> gradient);

 private:
  std::map<Journal::Key, Journal::Place> before_;
  Journal journal_;
  Journal::Key next_ = 0;
};

}  // namespace aetos::tracing
