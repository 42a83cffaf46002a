#include "verify/run/bench_compare.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <system_error>

#include "golden/case_text.hpp"
#include "golden/make_inputs.hpp"
#include "golden/store.hpp"

extern char** environ;

namespace dca::verify {
namespace {

/// The files of one benchmark, gone at the end of the scope.
class Files {
public:
    explicit Files(const std::filesystem::path& parent)
        : folder_(parent / ("dca-bench-compare-" + std::to_string(getpid()))) {
        std::filesystem::create_directory(folder_);
    }
    ~Files() {
        std::error_code ignored;
        std::filesystem::remove_all(folder_, ignored);
    }
    Files(const Files&) = delete;
    Files& operator=(const Files&) = delete;
    [[nodiscard]] std::string golden() const { return (folder_ / "golden.h5").string(); }
    [[nodiscard]] std::string candidate() const { return (folder_ / "candidate.h5").string(); }

private:
    std::filesystem::path folder_;
};

/// Eight heads of 128 channels; the inputs are not stored, as in every large golden.
golden::CaseData bench_case(std::int64_t mebibytes) {
    const std::int64_t rows = std::max<std::int64_t>(1, mebibytes * 128);
    const golden::CaseSpec spec =
        golden::parse_case("id=bench seq_q=" + std::to_string(rows) +
                           " heads_q=8 heads_kv=1 head_dim=2 head_dim_v=128 C=4096 w=512 dtype=f64 seed=1");
    golden::CaseData head;
    head.id = spec.id;
    head.problem = spec.problem;
    head.regenerates = spec;
    head.provenance["case_text"] = golden::to_text(spec);
    head.judge.emplace().error_model_version = 1;
    head.judge->regions.query.assign(static_cast<std::size_t>(rows), Region::with_inter);
    head.judge->regions.key = head.judge->regions.query;
    return head;
}

/// Made-up values from 1 up, so that h5diff's relative tolerance means the same everywhere; errors of up to 2.5 sigma.
std::int64_t write_files(const Files& files, const golden::CaseData& head) {
    golden::CaseData bare = head;
    bare.judge.reset();
    golden::FileWriter golden(files.golden()), candidate(files.candidate());
    golden::CaseStream expected = golden.begin(head, {"outputs/out", "judge/sigma_out"});
    golden::CaseStream got = candidate.begin(bare, {"outputs/out"});
    const std::int64_t elements = element_count(out_extents(head.problem.shape)), step = std::int64_t{1} << 16;
    constexpr float scale = 0x1p-20f;
    std::vector<double> values, wrong;
    std::vector<float> sigma;
    for (std::int64_t first = 0; first < elements; first += step) {
        values.clear();
        wrong.clear();
        for (std::int64_t n = first; n < std::min(elements, first + step); ++n) {
            const auto at = static_cast<std::uint64_t>(n);
            values.push_back(1 + std::abs(golden::unit_element(1, golden::InputTensor::q, at)));
            wrong.push_back(values.back() + 0.5 * scale * golden::unit_element(1, golden::InputTensor::k, at));
        }
        sigma.assign(values.size(), scale);
        expected.append("outputs/out", values);
        expected.append("judge/sigma_out", std::span<const float>(sigma));
        got.append("outputs/out", wrong);
    }
    expected.finish();
    got.finish();
    golden.commit();
    candidate.commit();
    return elements;
}

struct Ran {
    int status;
    double seconds;
};

/// Runs a program without output. Nothing if there is no such program.
std::optional<Ran> run(const std::vector<std::string>& words) {
    std::vector<char*> arguments;
    for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t quiet;
    posix_spawn_file_actions_init(&quiet);
    posix_spawn_file_actions_addopen(&quiet, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&quiet, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    const auto begin = std::chrono::steady_clock::now();
    pid_t child = 0;
    const int error = posix_spawnp(&child, words[0].c_str(), &quiet, nullptr, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&quiet);
    if (error == ENOENT) return std::nullopt;
    if (error != 0) throw IoError("cannot run " + words[0] + ": " + std::generic_category().message(error));
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    if (!WIFEXITED(status)) throw IoError(words[0] + " was ended by a signal");
    return Ran{WEXITSTATUS(status), seconds};
}

Spread spread(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    const std::size_t n = values.size();
    return {(values[(n - 1) / 2] + values[n / 2]) / 2, values.front(), values.back()};
}

}  // namespace

std::filesystem::path bench_folder(std::int64_t mebibytes) {
    const std::filesystem::path memory = "/dev/shm";
    std::error_code error;
    const auto space = std::filesystem::space(memory, error);
    // Two tensors and half a one of scales; half as much again so that nobody else is starved.
    const auto needed = static_cast<std::uintmax_t>(mebibytes) << 20;
    return !error && space.available >= 4 * needed ? memory : std::filesystem::temp_directory_path();
}

CompareTimes bench_compare(const CompareBench& settings) {
    const Files files(settings.folder);
    CompareTimes times;
    times.elements = write_files(files, bench_case(settings.mebibytes));
    times.bytes_read = times.elements * static_cast<std::int64_t>(2 * sizeof(double) + sizeof(float));
    const std::vector<std::string> ours{settings.program, "compare", files.golden(), files.candidate()};
    // -p: relative tolerance of every element. The crc32 attributes of the tensors differ, which is status 1.
    const std::vector<std::string> theirs{
        "h5diff", "-p", "1e-3", files.golden(), files.candidate(), "/bench/outputs/out", "/bench/outputs/out"};
    std::vector<double> own, other, ratios;
    for (int repeat = -1; repeat < settings.repeats; ++repeat) {
        const std::optional<Ran> mine = run(ours), h5diff = run(theirs);
        if (!mine || mine->status != 0) throw IoError("dca compare did not pass the benchmark's candidate");
        if (h5diff && h5diff->status > 1) throw IoError("h5diff could not read the benchmark's files");
        if (repeat < 0) continue;
        own.push_back(mine->seconds);
        if (!h5diff) continue;
        other.push_back(h5diff->seconds);
        ratios.push_back(h5diff->seconds / mine->seconds);
    }
    times.dca = spread(own);
    if (!other.empty()) {
        times.h5diff = spread(other);
        times.ratio = spread(ratios);
    }
    return times;
}

}  // namespace dca::verify
