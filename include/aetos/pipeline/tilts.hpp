#pragma once

#include <vector>

#include "aetos/core/geometry.hpp"
#include "aetos/tomography/options.hpp"

namespace aetos::pipeline {

/// The angles that the `tilts` section describes, `sign` applied, nothing excluded yet; empty if it describes
/// none. Equal tilts are kept, with a note. Throws InputError for a file that cannot be read.
std::vector<EulerAngles> resolve_tilts(const tomography::TiltOptions& options);

/// `angles` without the projections that `exclude` names; throws InputError for a number beyond the list.
std::vector<EulerAngles> without_excluded(const std::vector<EulerAngles>& angles,
                                          const std::vector<std::size_t>& exclude);

}  // namespace aetos::pipeline
