// Candidate files made by the tests themselves: .npz through libarchive's writer, .safetensors and .npy byte by byte,
// .h5 through the HDF5 library.
#pragma once

#include <archive.h>
#include <archive_entry.h>

#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "golden/store.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/process.hpp"
#include "verify/candidate/candidate_file.hpp"

namespace dca::test {

/// A case "one" of 2 query rows, 3 keys, 2 heads: out is (1, 2, 2, 2), lse (1, 2, 2).
inline golden::CaseData small_golden(const std::string& id = "one") {
    golden::CaseData data;
    data.id = id;
    data.problem.shape = {
        .batch = 1, .seq_q = 2, .seq_k = 3, .heads_q = 2, .heads_kv = 1, .head_dim = 4, .head_dim_v = 2};
    data.problem.chunk = {6, 2};
    const auto count_up = [](Extents<4> extents) {
        Tensor4 tensor(extents);
        double value = 0;
        for (double& x : tensor.values()) x = value += 0.25;
        return tensor;
    };
    const Shape& s = data.problem.shape;
    data.inputs = {count_up(q_extents(s)), count_up(k_extents(s)), count_up(v_extents(s)), count_up(out_extents(s))};
    return data;
}

/// 1, 2, 3, ... as bytes of a type.
template <class T>
std::string counting(std::size_t count) {
    std::string bytes;
    for (std::size_t i = 1; i <= count; ++i) {
        const T value = static_cast<T>(i);
        char raw[sizeof(T)];
        std::memcpy(raw, &value, sizeof(T));
        bytes.append(raw, sizeof(T));
    }
    return bytes;
}

inline std::string npy_with_header(const std::string& dictionary, const std::string& data, char version = 1) {
    std::string bytes("\x93NUMPY");
    bytes += version;
    bytes += '\0';
    const std::size_t length = dictionary.size();
    for (int i = 0; i < (version == 1 ? 2 : 4); ++i) bytes += static_cast<char>(length >> 8 * i & 0xff);
    return bytes + dictionary + data;
}

inline std::string npy(const std::string& descr, const std::string& shape, const std::string& data) {
    return npy_with_header("{'descr': '" + descr + "', 'fortran_order': False, 'shape': " + shape + ", }\n", data);
}

using Entries = std::vector<std::pair<std::string, std::string>>;

inline std::string write_npz(const std::string& path, const Entries& entries, bool deflate = false) {
    archive* zip = archive_write_new();
    REQUIRE(archive_write_set_format_zip(zip) == ARCHIVE_OK);
    REQUIRE((deflate ? archive_write_zip_set_compression_deflate(zip) : archive_write_zip_set_compression_store(zip)) ==
            ARCHIVE_OK);
    REQUIRE(archive_write_open_filename(zip, path.c_str()) == ARCHIVE_OK);
    for (const auto& [name, bytes] : entries) {
        archive_entry* entry = archive_entry_new();
        archive_entry_set_pathname(entry, name.c_str());
        archive_entry_set_filetype(entry, AE_IFREG);
        archive_entry_set_perm(entry, 0644);
        archive_entry_set_size(entry, static_cast<la_int64_t>(bytes.size()));
        REQUIRE(archive_write_header(zip, entry) == ARCHIVE_OK);
        REQUIRE(archive_write_data(zip, bytes.data(), bytes.size()) == static_cast<la_ssize_t>(bytes.size()));
        archive_entry_free(entry);
    }
    REQUIRE(archive_write_close(zip) == ARCHIVE_OK);
    archive_write_free(zip);
    return path;
}

inline std::string safetensors(const std::string& header, const std::string& data) {
    std::string bytes;
    for (int i = 0; i < 8; ++i) bytes += static_cast<char>(header.size() >> 8 * i & 0xff);
    return bytes + header + data;
}

/// The message of the FormatError this throws; fails the test if it throws none. One line, whatever the file holds.
template <class Action>
std::string refusal(const Action& action) {
    try {
        action();
    } catch (const FormatError& error) {
        const std::string message = error.what();
        CHECK(message.find('\n') == std::string::npos);
        return message;
    }
    FAIL("nothing was refused");
    return {};
}

inline std::string refusal_to_open(const std::string& path) {
    return refusal([&] { (void)verify::open_candidate(path); });
}

inline std::string refusal_of(const std::string& path, const golden::CaseData& golden) {
    return refusal([&] { (void)verify::open_candidate(path)->read(golden); });
}

inline bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

/// 1, 2, 3, ... in order.
template <class Values>
bool counts_up(const Values& values) {
    double expected = 0;
    for (double value : values) {
        if (value != ++expected) return false;
    }
    return true;
}

}  // namespace dca::test
