#pragma once

#include <functional>
#include <vector>

#include "aetos/parallel/communicator.hpp"
#include "one_image.hpp"

namespace aetos::preprocessing {

/// Image `index` of the kept ones, cleaned.
using ImageOf = std::function<Array<float, 2>(std::size_t)>;

/// The image with rows and columns exchanged.
Array<float, 2> transposed(View<const float, 2> image);

/// The shift to be applied to each kept projection, by the way that the options name, from where each one's
/// object is (in the frame whose y is the tilt axis). The same bits on any number of ranks. Collective.
std::vector<imaging::Shift> find_shifts(const Communicator& comm, const Request& request, const Plan& plan,
                                        const std::vector<imaging::ObjectPlace>& places,
                                        const ImageOf& image_of);

/// The shifts that a file of an earlier run holds for the kept projections. Throws InputError for one that
/// lacks a projection or holds something else.
std::vector<imaging::Shift> read_shifts(const std::string& file, const Plan& plan);
/// projection, theta_deg, shift_y_px, shift_x_px.
std::string shifts_csv(const Plan& plan, const std::vector<imaging::Shift>& shifts);

}  // namespace aetos::preprocessing
