// Case texts, the listing of a file, golden files.
#include "golden/case_reader.hpp"
#include "golden/case_text.hpp"
#include "golden/catalogue.hpp"
#include "golden/file_root.hpp"
#include "golden/h5_catalogue.hpp"
#include "golden/sample_rows.hpp"
#include "tests/damage/damage.hpp"
#include "tests/fuzz/targets.hpp"
#include "tests/golden/sample_case.hpp"
#include "tests/golden/scratch_folder.hpp"

namespace dca::test {
namespace {

using namespace dca::golden;

std::string_view text_of(Bytes bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string file_with(const std::string& text) {
    const ScratchFolder folder;
    write_file(folder / "a.h5", {sample_case(text)});
    return read_bytes(folder / "a.h5");
}

/// The file whose listing is fuzzed: what is listed must be somewhere.
const std::string& listed_file() {
    static const std::string bytes = file_with("id=a seq_q=3 heads_q=2 head_dim=2 C=2 w=1 dtype=f32");
    return bytes;
}

/// Everything a command can ask of a file.
void read_whole(const h5::File& file) {
    std::vector<std::string> ids;
    try {
        ids = read_root(file.root(), [](const Finding&) {});
    } catch (const Error&) {
    }
    for (const std::string& id : ids) {
        for (const Values values : {Values::check, Values::head, Values::keep}) {
            try {
                static_cast<void>(read_case(
                    file, id, Demand::complete,
                    [](const Finding& finding) {
                        if (finding.level == Finding::Level::error) throw FormatError(finding.message);
                    },
                    values));
            } catch (const Error&) {
            }
        }
        try {  // lint goes on after errors
            static_cast<void>(read_case(
                file, id, Demand::complete_or_outputs_only, [](const Finding&) {}, Values::check));
        } catch (const Error&) {
        }
    }
}

}  // namespace

void run_case_text(Bytes bytes) {
    try {
        const CaseSpec spec = parse_case(text_of(bytes));
        if (!spec.chunk_summary) validate(spec.problem);
        const std::string text = to_text(spec);
        require(parse_case(text) == spec, "the canonical text is another case");
        require(to_text(parse_case(text)) == text, "the canonical text is not canonical");
    } catch (const Error&) {
    }
}

std::vector<std::string> case_text_seeds() {
    std::vector<std::string> seeds;
    for (const auto name : {"smoke", "ci"}) {
        for (const CaseSpec& spec : golden::suite(name)) seeds.push_back(to_text(spec));
    }
    return seeds;
}

void run_catalogue(Bytes bytes) {
    static MemoryFile file;
    static const bool written = (file.write(listed_file()), true);
    require(written, "no file");
    try {
        h5::Node root = h5::parse_catalogue(std::as_bytes(bytes), listed_file().size());
        require(h5::to_bytes(root) == text_of(bytes), "a listing has two forms");
        read_whole(h5::File(file.path(), std::move(root)));
    } catch (const Error&) {
    }
}

std::vector<std::string> catalogue_seeds() {
    std::vector<std::string> seeds;
    MemoryFile file;
    file.write(listed_file());
    seeds.push_back(h5::to_bytes(h5::File(file.path()).root()));
    return seeds;
}

void run_golden(Bytes bytes) {
    static MemoryFile file;
    file.write(text_of(bytes));
    try {
        read_whole(h5::File(file.path()));
    } catch (const Error&) {
    }
}

std::vector<std::string> golden_seeds() {
    return {file_with("id=a seq_q=2 heads_q=1 head_dim=2 C=2 w=1"),
            file_with("id=a seq_q=2 heads_q=1 head_dim=2 C=2 w=1 cu_seqlens=0,1,2 dtype=bf16")};
}

}  // namespace dca::test
