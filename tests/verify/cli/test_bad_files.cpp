// Files that are missing, unreadable, truncated or not what they should be: one line, status 2, nothing written.
#include "tests/verify/cli/support.hpp"

using namespace dca::test;
namespace fs = std::filesystem;

namespace {

std::size_t files_in(const TemporaryFolder& folder) {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator{}));
}

/// Every command that reads a tensor file must refuse this one, naming it, and leave no output.
void check_every_reader_refuses(const std::string& bad, const std::string& good, const std::string& words) {
    const TemporaryFolder output;
    CAPTURE(bad);
    check_refused(run_dca("run " + shell_quoted(bad) + " -o " + shell_quoted(output / "out.h5")), words);
    check_refused(run_dca("compare " + shell_quoted(bad) + " " + shell_quoted(good)), words);
    check_refused(run_dca("compare " + shell_quoted(good) + " " + shell_quoted(bad) + " --json " +
                          shell_quoted(output / "a.json")),
                  words);
    CHECK(files_in(output) == 0);
}

}  // namespace

TEST_CASE("a file that cannot be read as a tensor file is refused by every command") {
    const TemporaryFolder folder;
    const std::string good = folder / "good.h5";
    require_success(run_dca("generate --case " + small_case + " -o " + shell_quoted(good)));
    const std::string bytes = read_file(good);

    SECTION("missing") {
        check_every_reader_refuses(folder / "missing.h5", good, "missing.h5");
        check_refused(run_dca("lint " + shell_quoted(folder / "missing.h5")), "missing.h5");
    }
    SECTION("a folder") {
        fs::create_directory(folder / "folder.h5");
        check_every_reader_refuses(folder / "folder.h5", good, "folder.h5");
        check_refused(run_dca("lint " + shell_quoted(folder / "folder.h5")), "folder.h5");
    }
    SECTION("without permission to read") {
        write_file(folder / "secret.h5", bytes);
        fs::permissions(folder / "secret.h5", fs::perms::none);
        if (geteuid() != 0) check_every_reader_refuses(folder / "secret.h5", good, "secret.h5");
    }
    SECTION("not HDF5, empty, or truncated") {
        write_file(folder / "text.h5", "this is not a tensor file\n");
        write_file(folder / "empty.h5", "");
        write_file(folder / "half.h5", bytes.substr(0, bytes.size() / 2));
        write_file(folder / "tail.h5", bytes.substr(0, bytes.size() - 1));
        for (const char* name : {"text.h5", "empty.h5", "half.h5", "tail.h5"}) {
            check_every_reader_refuses(folder / name, good, name);
            const Finished lint = run_dca("lint " + shell_quoted(folder / name));
            CAPTURE(name, lint.out, lint.err);
            CHECK(lint.status == 2);
            CHECK(contains(lint.out + lint.err, name));
        }
    }
    SECTION("candidates of an unknown or wrong kind") {
        write_file(folder / "notes.txt", bytes);
        write_file(folder / "junk.npz", "PK\x03\x04 junk");
        write_file(folder / "junk.safetensors", "junk");
        for (const char* name : {"notes.txt", "junk.npz", "junk.safetensors"}) {
            check_refused(run_dca("compare " + shell_quoted(good) + " " + shell_quoted(folder / name)), name);
        }
    }
    SECTION("a name with a line break cannot break the one-line rule") {
        check_refused(run_dca("lint " + shell_quoted(folder / "two\nlines.h5")), "two lines.h5");
    }
}

TEST_CASE("a flipped byte never crashes a reader") {
    const TemporaryFolder folder;
    require_success(run_dca("generate --case " + small_case + " -o " + shell_quoted(folder / "good.h5")));
    const std::string bytes = read_file(folder / "good.h5");
    constexpr std::size_t flips = 60;
    for (std::size_t flip = 0; flip < flips; ++flip) {
        const std::size_t at = (bytes.size() - 1) * flip / (flips - 1);
        std::string flipped = bytes;
        flipped[at] = static_cast<char>(flipped[at] ^ 0x55);
        write_file(folder / "flipped.h5", flipped);
        // HDF5 1.10 leaks its own memory where metadata is damaged: no business of this test.
        const std::string checked = "ASAN_OPTIONS=detect_leaks=0 " + program;
        const std::string flipped_file = shell_quoted(folder / "flipped.h5");
        const Finished lint = run_shell(checked + " lint " + flipped_file);
        const Finished judged =
            run_shell(checked + " compare " + shell_quoted(folder / "good.h5") + " " + flipped_file);
        CAPTURE(at, lint.out, lint.err, judged.out, judged.err);
        CHECK((lint.status == 0 || lint.status == 2));
        CHECK(judged.status >= 0);
        CHECK(judged.status <= 3);
    }
}

TEST_CASE("bad case texts and unknown names are refused") {
    const TemporaryFolder folder;
    const std::string to = " -o " + shell_quoted(folder / "out.h5");
    check_refused(run_dca("generate --suite nosuch" + to), "nosuch");
    check_refused(run_dca("generate --case nonsense" + to), "nonsense");
    check_refused(run_dca("generate --case 'seq_q=many head_dim=8 chunk_size=4 local_size=1'" + to), "many");
    check_refused(run_dca("generate --case 'seq_q=5 head_dim=8 local_size=1'" + to), "chunk_size");
    check_refused(run_dca("generate --case 'seq_q=5 head_dim=8 chunk_size=4 local_size=4'" + to), "local_size 4");
    check_refused(run_dca("generate --case 'seq_q=5 head_dim=8 chunk_size=4 local_size=1 dialect=nosuch'" + to),
                  "nosuch");
    check_refused(run_dca("generate --case 'seq_q=99999999999999999999 head_dim=8 chunk_size=4 local_size=1'" + to),
                  "seq_q");
    check_refused(run_dca("generate --case " + small_case + " --case " + small_case + to), "two cases are named small");
    check_refused(run_dca("generate --case 'seq_q=5 head_dim=8 chunk_size=4 local_size=4 expect=reject'" + to),
                  "nothing to write");
    CHECK(files_in(folder) == 0);
}

TEST_CASE("run refuses what it cannot compute and says the way out") {
    const TemporaryFolder folder;
    const std::string to = " -o " + shell_quoted(folder / "out.h5");
    const std::string megatron = recording("megatron_pr4048");
    check_refused(run_dca("run " + megatron + to + " --dialect vllm_fork --case meg_yarn4"),
                  "case meg_yarn4: dialect vllm_fork cannot run this: it raises ValueError for rope_scaling yarn");
    check_refused(run_dca("run " + megatron + to + " --dialect nosuch"), "nosuch");
    check_refused(run_dca("run " + megatron + to + " --dialect exact --case 'zzz*'"), "no case matches 'zzz*'");
    CHECK(files_in(folder) == 0);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // they need more address space than the limit
TEST_CASE("a case that does not fit into memory is one line that names it") {
    const TemporaryFolder folder;
    check_refused(run_shell("ulimit -v 1000000; " + program +
                            " generate --case 'id=huge seq_q=1000000 head_dim=256 "
                            "chunk_size=1000 local_size=100' -o " +
                            shell_quoted(folder / "out.h5")),
                  "case huge: not enough memory");
    CHECK(files_in(folder) == 0);
}
#endif
