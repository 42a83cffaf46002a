// The checksum over what a case says besides its elements. HDF5 protects some of its metadata, but neither strings of
// variable length nor, in older formats, any attribute: a scale or a dialect could change without a word.
#pragma once

#include "golden/case_reader.hpp"
#include "golden/h5_handle.hpp"

namespace dca::golden {

/// The attribute case_crc32 of a case group is the h5::structure_checksum of the case. Reports an error if the
/// attribute is there and wrong, and a note if a golden's case has none.
void verify_case_checksum(const h5::Node& case_group, const Report& report);

/// Writes the attribute. Precondition: the case under this open group is otherwise complete and of our own making.
void write_case_checksum(hid_t case_group, const std::string& id);

}  // namespace dca::golden
