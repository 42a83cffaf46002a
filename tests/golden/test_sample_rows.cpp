// Which rows a sampled case chooses, and what its dout is.
#include "golden/sample_rows.hpp"

#include <algorithm>

#include "golden/case_text.hpp"
#include "golden/make_inputs.hpp"
#include "tests/support/catch.hpp"

using namespace dca;
using namespace dca::golden;

namespace {

std::vector<std::int64_t> rows_of(const std::string& text) {
    return sample_rows(parse_case(text));
}

bool has(const std::vector<std::int64_t>& rows, std::int64_t row) {
    return std::binary_search(rows.begin(), rows.end(), row);
}

}  // namespace

TEST_CASE("sampled rows are sorted, unique, within range and exactly as many as asked for") {
    for (const std::int64_t seq_q : {1, 2, 3, 64, 65, 130, 1000, 100000}) {
        for (const std::int64_t sample : {1, 2, 7, 64, 256, 999, 1000}) {
            for (const char* more : {" C=60 w=12", " C=4096 w=0", " C=8 w=7 query_offset=-3"}) {
                const std::string text =
                    "seq_q=" + std::to_string(seq_q) + " head_dim=4 seed=3 sample=" + std::to_string(sample) + more;
                CAPTURE(text);
                const auto rows = rows_of(text);
                CHECK(static_cast<std::int64_t>(rows.size()) == std::min(sample, seq_q));
                CHECK(std::adjacent_find(rows.begin(), rows.end(), std::greater_equal<>()) == rows.end());
                CHECK(rows.front() >= 0);
                CHECK(rows.back() < seq_q);
                CHECK(has(rows, rows.size() == 1 ? 0 : seq_q - 1));
            }
        }
    }
    CHECK(rows_of("seq_q=9 head_dim=4 C=8 w=2").empty());
}

TEST_CASE("ends, offsets beyond 32 bits, chunk borders and tile borders are among the rows") {
    const std::string text = "seq_q=1048576 heads_q=16 heads_kv=4 head_dim=128 C=8192 w=1024 sample=256";
    const auto rows = rows_of(text);
    for (const std::int64_t row : {0, 1, 1048574, 1048575}) CHECK(has(rows, row));
    // q: 16 * 128 elements a row; 2^31 elements at row 2^20 (outside), in bytes of bf16, f32 and f64 at 2^19 ... 2^17;
    // k and v: 4 * 128, 2^31 bytes of f64 at row 2^19.
    for (const std::int64_t at : {1 << 17, 1 << 18, 1 << 19}) {
        for (const std::int64_t row : {at - 1, at, at + 1}) CHECK(has(rows, row));
    }
    constexpr std::int64_t chunk = 8192 - 1024, last_chunk = 1048575 / chunk;
    for (const std::int64_t at : {chunk, 2 * chunk, last_chunk * chunk}) {
        for (const std::int64_t row : {at - 2, at - 1, at, at + 1}) CHECK(has(rows, row));
    }
    const auto count = [&](auto test) { return std::count_if(rows.begin(), rows.end(), test); };
    CHECK(count([](std::int64_t row) { return row % chunk <= 1 || row % chunk >= chunk - 2; }) >= 80);
    CHECK(count([](std::int64_t row) { return row % 64 <= 1 || row % 64 == 63; }) >= 80);
    CHECK(count([](std::int64_t row) { return row % 64 > 1 && row % 64 < 63 && row % chunk > 1; }) >= 30);
    CHECK(rows_of(text + " seed=1") != rows);
    CHECK(rows_of(text + " dtype=bf16") == rows);
    // A ragged tail begins at the last multiple of every tile.
    const auto ragged = rows_of("seq_q=1000 head_dim=4 C=600 w=0 sample=20");
    for (const std::int64_t row : {960, 896, 768}) CHECK(has(ragged, row));
}

TEST_CASE("dout of a sampled case is 0 on every other row and as ever on the rows") {
    const std::string text = "batch=2 seq_q=90 heads_q=2 head_dim=6 head_dim_v=5 C=20 w=4 dtype=bf16 seed=9";
    const CaseSpec spec = parse_case(text + " sample=13");
    const auto rows = sample_rows(spec);
    const Inputs sampled = make_inputs(spec), whole = make_inputs(parse_case(text));
    CHECK(sampled.q == whole.q);
    CHECK(sampled.k == whole.k);
    CHECK(sampled.v == whole.v);
    std::int64_t element = 0;
    for (std::int64_t b = 0; b < 2; ++b) {
        for (std::int64_t row = 0; row < 90; ++row) {
            for (std::int64_t h = 0; h < 2; ++h) {
                for (std::int64_t c = 0; c < 5; ++c) {
                    const double wanted = has(rows, row) ? (*whole.dout)(b, row, h, c) : 0;
                    CHECK((*sampled.dout)(b, row, h, c) == wanted);
                    if (element % 97 == 0) CHECK(input_element(spec, InputTensor::dout, element) == wanted);
                    ++element;
                }
            }
        }
    }
    std::vector<double> one(static_cast<std::size_t>(5 * 90));
    InputSource(spec).fill_head(InputTensor::dout, 1, 1, 0, 90, one);
    for (std::int64_t row = 0; row < 90; ++row) {
        CHECK(one[static_cast<std::size_t>(row * 5)] == (*sampled.dout)(1, row, 1, 0));
    }
}

TEST_CASE("the word sample= is read, written and refused where it makes no sense") {
    CHECK(to_text(parse_case("seq_q=9 head_dim=4 C=8 w=2 sample=3")) ==
          "seq_q=9 head_dim=4 chunk_size=8 local_size=2 sample=3");
    for (const char* bad : {"0", "-1", "x", "1.5"}) {
        CHECK_THROWS_AS(parse_case(std::string("seq_q=9 head_dim=4 C=8 w=2 sample=") + bad), InvalidProblem);
    }
    CHECK_THROWS_AS(make_inputs(parse_case("seq_q=9 head_dim=4 C=8 w=2 sample=3 cu_seqlens=0,9")), InvalidProblem);
}
