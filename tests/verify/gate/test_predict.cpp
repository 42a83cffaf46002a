// Predictions: sizes are exact, and the work of a case grows with its loops. Times themselves are never tested.
#include <hdf5.h>

#include "tests/support/catch.hpp"
#include "tests/support/process.hpp"
#include "tests/verify/gate/candidates.hpp"
#include "verify/gate/predict.hpp"
#include "verify/run/write_inputs.hpp"

using namespace dca;

namespace {

verify::Prediction predicted(const std::string& text) {
    return verify::predict(golden::parse_case(text));
}

herr_t add_dataset(hid_t root, const char* name, const H5O_info_t* info, void* sum) {
    if (info->type != H5O_TYPE_DATASET) return 0;
    const hid_t dataset = H5Dopen2(root, name, H5P_DEFAULT);
    *static_cast<std::int64_t*>(sum) += static_cast<std::int64_t>(H5Dget_storage_size(dataset));
    H5Dclose(dataset);
    return 0;
}

/// Bytes of all datasets of a file.
std::int64_t stored_bytes(const std::string& path) {
    const hid_t file = H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
    std::int64_t sum = 0;
    H5Ovisit1(file, H5_INDEX_NAME, H5_ITER_INC, add_dataset, &sum);
    H5Fclose(file);
    return sum;
}

}  // namespace

TEST_CASE("Sizes are predicted to the byte") {
    const std::string plain = "id=sized seq_q=21 head_dim=16 chunk_size=12 local_size=4";
    for (const std::string extra :
         {"", " dtype=f32", " dtype=bf16 gradient=0", " dtype=e4m3 heads_q=4 heads_kv=2 head_dim_v=8",
          " batch=3 seq_k=30", " cu_seqlens=0,7,7,21",
          " rope_scaling=yarn rope_factor=4 inv_freq=1,0.5,0.25,0.1,0.1,0.1,0.1,0.1"}) {
        CAPTURE(extra);
        const test::TemporaryFolder folder;
        const golden::CaseSpec spec = golden::parse_case(plain + extra);
        const verify::Prediction prediction = verify::predict(spec);
        (void)verify::write_inputs({spec}, folder / "i.h5", {});
        (void)verify::generate({spec}, folder / "g.h5", {});
        CHECK(prediction.input_bytes == stored_bytes(folder / "i.h5"));
        CHECK(prediction.golden_bytes == stored_bytes(folder / "g.h5"));
        CHECK(prediction.golden_bytes + 65536 > static_cast<std::int64_t>(std::filesystem::file_size(folder / "g.h5")));
    }
}

TEST_CASE("Work grows with what is computed") {
    const std::string plain = "seq_q=2000 head_dim=64 chunk_size=600 local_size=100";
    const double work = predicted(plain).work;
    CHECK(predicted(plain + " gradient=0").work < work);
    CHECK(predicted(plain + " heads_q=2").work > 1.9 * work);
    CHECK(predicted(plain + " batch=2").work > 1.9 * work);
    CHECK(predicted("seq_q=4000 head_dim=64 chunk_size=600 local_size=100").work > 3 * work);
    CHECK(predicted(plain + " expect=reject").work > 0);
    CHECK(predicted(plain + " expect=reject").work < work / 100);
    CHECK(predicted(plain + " heads_q=64").memory_bytes > 20 * predicted(plain).memory_bytes / 2);
    CHECK(verify::seconds_per_work() > 0);
}
