// Goldens that do not store their inputs, inputs made slice by slice, and cases written piece by piece.
#include <random>

#include "golden/case_text.hpp"
#include "golden/h5_dataset.hpp"
#include "golden/lint.hpp"
#include "golden/make_inputs.hpp"
#include "golden/regenerate.hpp"
#include "tests/golden/sample_case.hpp"
#include "tests/golden/scratch_folder.hpp"
#include "tests/support/catch.hpp"

using namespace dca;
using namespace dca::golden;
using namespace dca::test;

namespace {

constexpr const char* some_cases[] = {
    "id=a batch=2 seq_q=17 seq_k=23 heads_q=4 heads_kv=2 head_dim=6 head_dim_v=5 C=12 w=4 dtype=bf16 seed=5 qk_scale=3",
    "id=b seq_q=40 heads_q=3 head_dim=4 C=12 w=4 v_offset=2",
    "id=c seq_q=20 head_dim=4 C=6 w=2 cu_seqlens=0,7,7,20 constant_v=1 v_offset=1 dtype=f16 inv_freq=1,0.5"};

/// The case as a golden without inputs and with the results named alone.
CaseData without_inputs(std::string_view text, bool every_result = true) {
    CaseData data = sample_case(text);
    data.provenance["case_text"] = to_text(parse_case(text));
    data.regenerates = parse_case(text);
    data.inputs = {};
    data.problem = parse_case(text).problem;
    data.dialect_facts.clear();  // the text says nothing of them
    if (every_result) return data;
    data.results.out.reset();
    data.results.lse.reset();
    data.results.dq.reset();
    data.judge->scales.out = {};
    data.judge->scales.lse = {};
    data.judge->scales.dq.reset();
    data.certificates.erase("out");
    data.certificates.erase("lse");
    data.certificates.erase("dq");
    return data;
}

std::string error_after(const std::filesystem::path& path, const std::function<void(hid_t)>& change) {
    edit(path, change);
    return read_error(path);
}

}  // namespace

TEST_CASE("any slice of the inputs is that of the whole tensors") {
    for (const char* text : some_cases) {
        CAPTURE(text);
        const CaseSpec spec = parse_case(text);
        const Inputs whole = make_inputs(spec);
        const InputSource source(spec);
        const std::pair<InputTensor, const Tensor4*> tensors[] = {{InputTensor::q, &whole.q},
                                                                  {InputTensor::k, &whole.k},
                                                                  {InputTensor::v, &whole.v},
                                                                  {InputTensor::dout, &*whole.dout}};
        for (const auto& [which, tensor] : tensors) {
            const auto [batches, rows, heads, dim] = tensor->extents();
            REQUIRE(source.extents(which) == tensor->extents());
            const std::int64_t begin = rows / 3, end = rows - 1, b = batches - 1;
            std::vector<double> all(static_cast<std::size_t>((end - begin) * heads * dim));
            source.fill_rows(which, b, begin, end, all);
            CHECK(std::equal(all.begin(), all.end(), &(*tensor)(b, begin, 0, 0)));
            std::vector<double> one(static_cast<std::size_t>((end - begin) * dim));
            for (std::int64_t head = 0; head < heads; ++head) {
                source.fill_head(which, b, head, begin, end, one);
                for (std::int64_t row = begin; row < end; ++row) {
                    CHECK(std::equal(&one[static_cast<std::size_t>((row - begin) * dim)],
                                     &one[static_cast<std::size_t>((row - begin) * dim)] + dim,
                                     &(*tensor)(b, row, head, 0)));
                }
            }
            double largest = 0;
            for (const double value : tensor->values()) largest = std::max(largest, std::abs(value));
            CHECK(source.typical_largest(which) == largest);
        }
    }
}

TEST_CASE("a value beyond the dtype is refused by slices as by the whole") {
    const CaseSpec spec = parse_case("seq_q=4 head_dim=4 C=4 w=2 dtype=e4m3 v_offset=1e6");
    std::vector<double> out(16);
    CHECK_THROWS_AS(InputSource(spec).fill_rows(InputTensor::v, 0, 0, 4, out), InvalidProblem);
    CHECK_THROWS_AS(make_inputs(spec), InvalidProblem);
}

TEST_CASE("pieces of any size, in turns, give the bytes of whole tensors") {
    const ScratchFolder folder;
    std::mt19937_64 random(7);
    for (const char* text : some_cases) {
        CAPTURE(text);
        const CaseData data = sample_case(text);
        write_file(folder / "whole.h5", {data});
        std::vector<std::string> paths{"inputs/q",       "inputs/k",        "inputs/v",        "inputs/dout",
                                       "outputs/out",    "outputs/lse",     "outputs/dq",      "outputs/dk",
                                       "outputs/dv",     "judge/sigma_out", "judge/sigma_lse", "judge/sigma_dq",
                                       "judge/sigma_dk", "judge/sigma_dv"};
        const std::vector<std::span<const double>> numbers{
            data.inputs.q.values(),     data.inputs.k.values(),     data.inputs.v.values(),
            data.inputs.dout->values(), data.results.out->values(), data.results.lse->values(),
            data.results.dq->values(),  data.results.dk->values(),  data.results.dv->values()};
        const ErrorScales& scales = data.judge->scales;
        const std::vector<std::span<const float>> sigmas{scales.out.values(), scales.lse.values(), scales.dq->values(),
                                                         scales.dk->values(), scales.dv->values()};
        FileWriter writer(folder / "pieces.h5");
        CaseStream stream = writer.begin(data, paths);
        std::vector<std::size_t> done(paths.size(), 0);
        for (bool more = true; more;) {
            more = false;
            for (std::size_t n = 0; n < paths.size(); ++n) {
                const auto next = [&](auto values) {
                    const std::size_t count = std::min<std::size_t>(random() % 60, values.size() - done[n]);
                    stream.append(paths[n], values.subspan(done[n], count));
                    done[n] += count;
                    more = more || done[n] < values.size();
                };
                n < numbers.size() ? next(numbers[n]) : next(sigmas[n - numbers.size()]);
            }
        }
        stream.finish(data.certificates);
        writer.commit();
        CHECK(read_bytes(folder / "pieces.h5") == read_bytes(folder / "whole.h5"));
    }
}

TEST_CASE("too many or too few elements of a stream are refused") {
    const ScratchFolder folder;
    const CaseData data = sample_case("seq_q=4 head_dim=2 C=4 w=2");
    FileWriter writer(folder / "x.h5");
    CaseStream stream = writer.begin(data, {"inputs/q"});
    stream.append("inputs/q", data.inputs.q.values().subspan(1));
    CHECK_THROWS_AS(stream.finish(), ContractError);
    CHECK_THROWS_AS(stream.append("inputs/q", data.inputs.q.values().subspan(2)), ContractError);
    CHECK_THROWS_AS(stream.append("inputs/k", data.inputs.k.values()), ContractError);
}

TEST_CASE("a golden without inputs comes back with the case that makes them") {
    const ScratchFolder folder;
    for (const char* text : some_cases) {
        for (const bool every_result : {true, false}) {
            CAPTURE(text, every_result);
            const CaseData wanted = without_inputs(text, every_result);
            write_file(folder / "x.h5", {wanted});
            CaseData got = FileReader(folder / "x.h5").read(wanted.id);
            REQUIRE(got.regenerates.has_value());
            CHECK(*got.regenerates == parse_case(text));
            CHECK(got.problem == parse_case(text).problem);
            CHECK(got.inputs == Inputs{});
            CHECK(got.results.out == wanted.results.out);
            CHECK(got.results.dk == wanted.results.dk);
            CHECK(got.judge->scales.out == wanted.judge->scales.out);
            CHECK(got.judge->scales.dk == wanted.judge->scales.dk);
            CHECK(got.certificates == wanted.certificates);
            const LintReport report = lint(folder / "x.h5");
            CHECK(report.ok());
            CHECK(report.findings.empty());
            load_inputs(got);
            CHECK(got.inputs == make_inputs(parse_case(text)));
            CHECK(!got.regenerates);
        }
    }
}

TEST_CASE("what does not fit together in a golden without inputs is an error") {
    const ScratchFolder folder;
    const std::string text = some_cases[0];
    const auto fresh = [&] {
        write_file(folder / "x.h5", {without_inputs(text)});
        return folder / "x.h5";
    };
    const auto has = [](const std::string& got, std::string_view wanted) {
        CAPTURE(got, wanted);
        CHECK(got.find(wanted) != std::string::npos);
    };
    CHECK(read_error(fresh()) == "read without error");
    has(error_after(fresh(), [](hid_t file) { remove_attribute(file, "a", "case_text"); }),
        "inputs_stored: is 0, but there is no case_text");
    has(error_after(fresh(), [](hid_t file) { set_attribute(file, "a", "case_text", std::string("seq_q=")); }),
        "attribute inputs_stored: case text");
    has(error_after(fresh(), [](hid_t file) { set_attribute(file, "a", "inputs_stored", std::int64_t{2}); }),
        "must be 0 or 1");
    has(error_after(fresh(), [](hid_t file) { set_attribute(file, "a", "rope_base", 5.0); }),
        "another problem than the attributes: rope_base differs");
    has(error_after(fresh(),
                    [&](hid_t file) {
                        const std::string longer = text + " query_offset=3";
                        set_attribute(file, "a", "case_text", longer);
                    }),
        "query_offset differs");
    has(error_after(fresh(),
                    [&](hid_t file) {
                        std::string other = text;
                        other.replace(other.find("seq_q=17"), 8, "seq_q=18");
                        set_attribute(file, "a", "case_text", other);
                    }),
        "outputs/out: shape (2, 17, 4, 5), expected (batch 2, seq_q 18, heads_q 4, head_dim_v 5)");
    has(error_after(fresh(), [](hid_t file) { static_cast<void>(h5::create_group(file, "a/inputs")); }),
        "inputs: is there, but the attribute inputs_stored is 0");
    // Stored inputs stay the default, and a file that says so is read as ever.
    write_file(folder / "y.h5", {sample_case(text)});
    CHECK(error_after(folder / "y.h5", [](hid_t file) {
              set_attribute(file, "a", "inputs_stored", std::int64_t{1});
          }) == "read without error");
}
