// The three attributes of an expected tensor that say how far it can be from the truth (docs/golden_format.md).
#pragma once

#include <optional>
#include <string>

#include "golden/h5_dataset.hpp"
#include "golden/store.hpp"

namespace dca::golden {

/// An attribute that is 0 or 1. Throws FormatError naming it otherwise.
[[nodiscard]] bool flag_of(const std::string& attribute, const AttributeValue& value);

/// They stand together or not at all. Throws FormatError where they do not, or one of them makes no sense.
[[nodiscard]] std::optional<Certificate> read_certificate(const h5::Dataset& dataset);

/// Writes those of the datasets that are in the group `outputs`.
void write_certificates(hid_t outputs, const Certificates& certificates);

}  // namespace dca::golden
