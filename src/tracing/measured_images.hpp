#pragma once

#include <optional>

#include "aetos/parallel/communicator.hpp"
#include "aetos/tracing/trace.hpp"
#include "refinement.hpp"

namespace aetos::tracing {

/// Reads the images of a request, dealt over the ranks in consecutive blocks. Throws InputError where angles
/// are missing or do not fit the images, the pixel size is unknown, or an image holds NaN. Collective.
MeasuredImages read_measured_images(const Communicator& comm, const Request& request);

/// The same without images whose pixels are all equal (lost ones, say), which tell nothing of atoms; a warning
/// names them. Throws InputError where all are. Collective.
MeasuredImages read_telling_images(const Communicator& comm, Request request);

}  // namespace aetos::tracing
