// Complete cases without computing anything, and ways to damage the files they are written to.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "golden/case_spec.hpp"
#include "golden/h5_handle.hpp"
#include "golden/store.hpp"

namespace dca::test {

/// Inputs by the recipe, results and judge data of the right shapes with arbitrary values, some provenance.
[[nodiscard]] golden::CaseData sample_case(const golden::CaseSpec& spec);
[[nodiscard]] golden::CaseData sample_case(std::string_view text);

/// Writes one file with these cases.
void write_file(const std::filesystem::path& path, const std::vector<golden::CaseData>& cases);

/// Opens a written file for changes; the callback gets the HDF5 file. The checksum over the attributes of each case is
/// removed afterwards.
void edit(const std::filesystem::path& path, const std::function<void(hid_t file)>& change);
void remove_case_checksums(hid_t file);
void remove_object(hid_t file, const std::string& path);
void set_attribute(hid_t file, const std::string& object, const std::string& name, const golden::AttributeValue& value);
void remove_attribute(hid_t file, const std::string& object, const std::string& name);
/// Replaces (or adds) a dataset, values converted from double by the library.
void put_dataset(hid_t file, const std::string& path, const std::vector<hsize_t>& extents, hid_t type,
                 const std::vector<double>& values);

/// Message of the FormatError that opening and reading every case throws; "read without error" if it does not.
[[nodiscard]] std::string read_error(const std::filesystem::path& path);

}  // namespace dca::test
