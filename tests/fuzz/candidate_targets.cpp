// Candidates' files and the headers in them.
#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <map>

#include "golden/text.hpp"
#include "tests/damage/damage.hpp"
#include "tests/fuzz/targets.hpp"
#include "tests/golden/sample_case.hpp"
#include "tests/golden/scratch_folder.hpp"
#include "verify/candidate/named_candidate.hpp"
#include "verify/candidate/npy_header.hpp"
#include "verify/candidate/safetensors_header.hpp"

namespace dca::test {
namespace {

std::string_view text_of(Bytes bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// out is (1, 2, 2, 2), lse (1, 2, 2).
const golden::CaseData& judged() {
    static const golden::CaseData data =
        sample_case("id=one seq_q=2 seq_k=3 heads_q=2 heads_kv=1 head_dim=4 head_dim_v=2 C=6 w=2 gradient=0");
    return data;
}

bool same_bits(double a, double b) {
    return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}

void read_candidate(std::unique_ptr<verify::TensorSource> source) {
    const verify::NamedCandidate candidate(std::move(source));
    const golden::Results results = candidate.read(judged());
    require(!results.out || results.out->extents() == out_extents(judged().problem.shape), "out of another shape");
    for (const char* tensor : {"out", "lse"}) {
        const std::unique_ptr<golden::TensorReader> reader = candidate.open(judged(), tensor);
        if (!reader) continue;
        std::vector<double> whole;
        while (reader->left() > 0) {
            std::vector<double> piece(static_cast<std::size_t>(std::min<std::int64_t>(3, reader->left())));
            reader->read(std::span(piece));
            whole.insert(whole.end(), piece.begin(), piece.end());
        }
        const bool is_lse = tensor == std::string_view("lse");
        const auto values = is_lse ? results.lse->values() : results.out->values();
        require(std::ranges::equal(whole, values, same_bits), "other values in pieces");
    }
}

template <class Open>
void run_file(Bytes bytes, const Open& open) {
    static MemoryFile file;
    file.write(text_of(bytes));
    try {
        read_candidate(open(file.path()));
    } catch (const Error& error) {
        require(std::string_view(error.what()).find('\n') == std::string_view::npos, "an error of several lines");
    }
}

template <class T>
std::string elements(std::size_t count) {
    std::string bytes(count * sizeof(T), '\0');
    for (std::size_t i = 0; i < count; ++i) {
        const T value = static_cast<T>(i);
        std::memcpy(bytes.data() + i * sizeof(T), &value, sizeof(T));
    }
    return bytes;
}

std::string length_bytes(std::uint64_t value) {
    std::string bytes(8, '\0');
    std::memcpy(bytes.data(), &value, 8);
    return bytes;
}

const std::string npy_dictionary = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2, 2, 2), }\n";

std::string npy_array(const std::string& dictionary) {
    std::string bytes("\x93NUMPY\x01\x00", 8);
    bytes += static_cast<char>(dictionary.size() & 0xff);
    bytes += static_cast<char>(dictionary.size() >> 8);
    return bytes + dictionary;
}

std::string npz(bool deflate) {
    const ScratchFolder folder;
    const std::string path = folder / "c.npz";
    archive* zip = archive_write_new();
    archive_write_set_format_zip(zip);
    deflate ? archive_write_zip_set_compression_deflate(zip) : archive_write_zip_set_compression_store(zip);
    archive_write_open_filename(zip, path.c_str());
    archive_entry* entry = archive_entry_new();
    const std::string array = npy_array(npy_dictionary) + elements<float>(8);
    archive_entry_set_pathname(entry, "one/outputs/out.npy");
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_size(entry, static_cast<la_int64_t>(array.size()));
    archive_write_header(zip, entry);
    archive_write_data(zip, array.data(), array.size());
    archive_entry_free(entry);
    archive_write_free(zip);
    return read_bytes(path);
}

const std::string json_header =
    R"({"__metadata__":{"a":"b"},"out":{"dtype":"F16","shape":[1,2,2,2],"data_offsets":[0,16]},)"
    R"("lse":{"dtype":"F64","shape":[1,2,2],"data_offsets":[16,48]}})";

}  // namespace

void run_npy_header(Bytes bytes) {
    const std::string_view text = text_of(bytes);
    try {
        if (text.size() >= verify::npy_prelude_size) {
            static_cast<void>(verify::parse_npy_prelude(text.substr(0, verify::npy_prelude_size)));
        }
    } catch (const Error&) {
    }
    try {
        const verify::NpyHeader header = verify::parse_npy_dictionary(text);
        require(verify::element_count(header.extents) <= std::size_t{1} << 40, "more elements than a problem has");
    } catch (const Error&) {
    }
}

std::vector<std::string> npy_header_seeds() {
    return {npy_dictionary, "{\"shape\": (), \"descr\": '>f8', 'fortran_order': True}", npy_array(npy_dictionary)};
}

void run_safetensors_header(Bytes bytes) {
    if (bytes.size() < 8) return;
    std::uint64_t size = 0;
    std::memcpy(&size, bytes.data(), 8);
    try {
        std::uint64_t covered = 0;
        for (const auto& [name, entry] : verify::parse_safetensors_header(text_of(bytes.subspan(8)), size)) {
            require(entry.begin <= entry.end && entry.end <= size, "a tensor beyond the data");
            covered += entry.end - entry.begin;
            if (!entry.type) continue;
            require(verify::element_count(entry.extents) * size_of(*entry.type) == entry.end - entry.begin,
                    "a shape that is not its bytes");
        }
        require(covered == size, "data of no tensor");
    } catch (const Error&) {
    }
}

std::vector<std::string> safetensors_header_seeds() {
    return {length_bytes(48) + json_header, length_bytes(0) + "{}"};
}

void run_candidate_h5(Bytes bytes) {
    run_file(bytes, verify::open_h5);
}
void run_npz(Bytes bytes) {
    run_file(bytes, verify::open_npz);
}
void run_safetensors(Bytes bytes) {
    run_file(bytes, verify::open_safetensors);
}

std::vector<std::string> candidate_h5_seeds() {
    const ScratchFolder folder;
    write_file(folder / "a.h5", {judged()});
    return {read_bytes(folder / "a.h5")};
}

std::vector<std::string> npz_seeds() {
    return {npz(false), npz(true)};
}

std::vector<std::string> safetensors_seeds() {
    return {length_bytes(json_header.size()) + json_header + elements<std::uint16_t>(8) + elements<double>(4)};
}

}  // namespace dca::test
