// A full disk, by a limit on the size of files: at whatever byte it strikes there is one clear error, no crash, no
// file.
#include <sys/resource.h>

#include <csignal>

#include "tests/golden/sample_case.hpp"
#include "tests/golden/scratch_folder.hpp"
#include "tests/support/catch.hpp"

using namespace dca;
using namespace dca::golden;
using namespace dca::test;

namespace {

/// Writes beyond `bytes` fail with EFBIG while this lives.
class FileSizeLimit {
public:
    explicit FileSizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
        getrlimit(RLIMIT_FSIZE, &before_);
        const rlimit limit{bytes, before_.rlim_max};
        setrlimit(RLIMIT_FSIZE, &limit);
    }
    ~FileSizeLimit() {
        setrlimit(RLIMIT_FSIZE, &before_);
        std::signal(SIGXFSZ, handler_);
    }
    FileSizeLimit(const FileSizeLimit&) = delete;
    FileSizeLimit& operator=(const FileSizeLimit&) = delete;

private:
    void (*handler_)(int);
    rlimit before_{};
};

/// The error of writing under the limit, empty if there was none.
std::string error_under_limit(const std::filesystem::path& path, const std::vector<CaseData>& cases, rlim_t bytes) {
    const FileSizeLimit limit(bytes);
    try {
        write_file(path, cases);
    } catch (const IoError& error) {
        return error.what();
    }
    return "";
}

}  // namespace

TEST_CASE("a disk that fills up at any point gives one clear error and leaves the target alone") {
    const ScratchFolder folder;
    std::vector<CaseData> cases;
    for (int i = 0; i < 10; ++i) {
        cases.push_back(sample_case("id=c" + std::to_string(i) + " seq_q=40 heads_q=2 head_dim=16 C=12 w=4"));
    }
    write_file(folder / "whole.h5", cases);
    const auto size = std::filesystem::file_size(folder / "whole.h5");
    const std::filesystem::path target = folder / "target.h5";
    write_bytes(target, "precious");

    constexpr std::uintmax_t steps = 150;
    for (std::uintmax_t step = 0; step < steps; ++step) {
        const auto limit = static_cast<rlim_t>(size * step / steps);
        CAPTURE(limit, size);
        const std::string error = error_under_limit(target, cases, limit);
        REQUIRE(error == "cannot write " + target.string() + ": File too large");
        REQUIRE(folder.names() == std::vector<std::string>{"target.h5", "whole.h5"});
        REQUIRE(read_bytes(target) == "precious");
    }
    // The library writes a little beyond the end that it finally keeps.
    CHECK(error_under_limit(target, cases, static_cast<rlim_t>(2 * size)).empty());
    CHECK((read_bytes(target) == read_bytes(folder / "whole.h5")));
}

TEST_CASE("a target that cannot be created is refused before anything is computed") {
    const ScratchFolder folder;
    const auto error_of = [](const std::filesystem::path& path) -> std::string {
        try {
            const FileWriter writer(path);
        } catch (const IoError& error) {
            return error.what();
        }
        return "accepted";
    };
    const std::string missing = (folder / "missing/a.h5").string();
    CHECK(error_of(missing) == "cannot write " + missing + ": No such file or directory");
    CHECK(error_of(folder.path()) ==
          "cannot write " + folder.path().string() + ": it exists and is not a regular file");
    CHECK(error_of("/dev/full") == "cannot write /dev/full: it exists and is not a regular file");
    CHECK(folder.names().empty());
}
