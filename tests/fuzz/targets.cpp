#include "tests/fuzz/targets.hpp"

#include <algorithm>
#include <stdexcept>

namespace dca::test {
namespace {

const std::vector<std::string> text_words{"id=",
                                          "batch=",
                                          "seq_q=",
                                          "seq_k=",
                                          "heads_q=",
                                          "heads_kv=",
                                          "head_dim=",
                                          "head_dim_v=",
                                          "chunk_size=",
                                          "C=",
                                          "local_size=",
                                          "w=",
                                          "dtype=",
                                          "bf16",
                                          "e4m3",
                                          "rope=none",
                                          "inv_freq=",
                                          "rotary_dim=",
                                          "rope_scaling=dynamic",
                                          "rope_factor=",
                                          "cu_seqlens=",
                                          "seed=",
                                          "sample=",
                                          "probe",
                                          "linear_v=1",
                                          "expect=reject",
                                          "algorithm=chunk_summary",
                                          "dialect=vllm",
                                          "dialect_sparse_vertical_size=",
                                          "1e308",
                                          "nan",
                                          "-inf",
                                          "0x1p-1074",
                                          "18446744073709551615",
                                          "-9223372036854775808"};
const std::vector<std::string> npy_words{
    "{'descr': ", "'fortran_order': ", "'shape': (",         "True", "False", "'<f8'", "'>f2'", "'|V2'",
    ", }",        "\x93NUMPY",         "9223372036854775807"};
const std::vector<std::string> json_words{"\"dtype\":",
                                          "\"shape\":[",
                                          "\"data_offsets\":[",
                                          "\"__metadata__\":{",
                                          "\"BF16\"",
                                          "\"F8_E4M3\"",
                                          "18446744073709551615",
                                          "\\u0000",
                                          "1e400",
                                          "-0",
                                          "null",
                                          "[[[["};
const std::vector<std::string> zip_words{"PK\x01\x02",       "PK\x03\x04",          "PK\x05\x06",
                                         "PK\x06\x06",       "PK\x06\x07",          ".npy",
                                         "\xff\xff\xff\xff", "one/outputs/out.npy", "\x93NUMPY"};
const std::vector<std::string> h5_words{"OHDR",    "TREE",  "SNOD",   "HEAP", "GCOL", "FRHP", "FHDB",
                                        "FHIB",    "BTHD",  "BTLF",   "FADB", "EAHD", "OCHK", "\x89HDF\r\n\x1a\n",
                                        "outputs", "crc32", "storage"};

}  // namespace

const std::vector<Target>& targets() {
    static const std::vector<Target> all{
        {"case_text", run_case_text, case_text_seeds, text_words, false},
        {"catalogue", run_catalogue, catalogue_seeds, h5_words, false},
        {"golden", run_golden, golden_seeds, h5_words, true},
        {"npy_header", run_npy_header, npy_header_seeds, npy_words, false},
        {"safetensors_header", run_safetensors_header, safetensors_header_seeds, json_words, false},
        {"candidate_h5", run_candidate_h5, candidate_h5_seeds, h5_words, true},
        {"npz", run_npz, npz_seeds, zip_words, false},
        {"safetensors", run_safetensors, safetensors_seeds, json_words, false},
    };
    return all;
}

const Target* find_target(const std::string& name) {
    const auto& all = targets();
    const auto found = std::find_if(all.begin(), all.end(), [&](const Target& target) { return target.name == name; });
    return found == all.end() ? nullptr : &*found;
}

void require(bool condition, const char* what) {
    if (!condition) throw std::logic_error(what);
}

}  // namespace dca::test
