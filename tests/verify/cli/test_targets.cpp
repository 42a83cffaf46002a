// Where output goes: bad targets are refused before anything is computed, good ones replaced in one step or not at all.
#include "tests/verify/cli/support.hpp"

using namespace dca::test;
namespace fs = std::filesystem;

TEST_CASE("targets that cannot be written are refused at once") {
    const TemporaryFolder folder;
    fs::create_directory(folder / "folder");
    fs::create_symlink("elsewhere.h5", folder / "link.h5");
    const std::string generate = "generate --case " + small_case + " -o ";
    check_refused(run_dca(generate + shell_quoted(folder / "no/such/folder/out.h5")), "no/such/folder");
    check_refused(run_dca(generate + shell_quoted(folder / "folder")), "is a folder");
    check_refused(run_dca(generate + shell_quoted(folder / "folder/")), "is a folder");
    check_refused(run_dca(generate + shell_quoted(folder / "link.h5")), "symbolic link");
    check_refused(run_dca(generate + "/dev/null"), "not a regular file");
    CHECK(fs::is_character_file("/dev/null"));
    if (geteuid() != 0) {
        fs::permissions(folder / "folder", fs::perms::owner_read | fs::perms::owner_exec);
        check_refused(run_dca(generate + shell_quoted(folder / "folder/out.h5")), "Permission denied");
        fs::permissions(folder / "folder", fs::perms::owner_all);
    }
}

TEST_CASE("the input is never its own output") {
    const TemporaryFolder folder;
    const std::string golden = folder / "golden.h5";
    require_success(run_dca("generate --case " + small_case + " -o " + shell_quoted(golden)));
    fs::create_hard_link(golden, folder / "same.h5");
    const std::string before = read_file(golden);
    const std::string input = shell_quoted(golden);
    check_refused(run_dca("run " + input + " -o " + input), "is the input file");
    check_refused(run_dca("run " + input + " -o " + shell_quoted(folder / "same.h5")), "is the input file");
    check_refused(
        run_shell("cd " + shell_quoted(folder.path().string()) + " && " + program + " run golden.h5 -o ./golden.h5"),
        "is the input file");
    for (const char* report : {"--json", "--junit", "--markdown"}) {
        check_refused(run_dca("compare " + input + " " + input + " " + report + " " + input), "is the input file");
    }
    CHECK(read_file(golden) == before);
}

TEST_CASE("a run that is stopped leaves the target as it was and nothing else") {
    const TemporaryFolder folder;
    const std::string target = folder / "golden.h5";
    write_file(target, "what was here before");
    // Seconds of work on one thread; the temporary file tells that it has begun.
    const std::string command =
        "cd " + shell_quoted(folder.path().string()) + " && OMP_NUM_THREADS=1 " + program +
        " generate --case 'seq_q=6000 head_dim=64 chunk_size=1500 local_size=100' -o golden.h5 & "
        "pid=$!; while [ $(ls -A | wc -l) -lt 2 ] && kill -0 $pid; do sleep 0.02; done; "
        "kill -TERM $pid; wait $pid";
    const Finished stopped = run_shell("cd " + shell_quoted(folder.path().string()) + "; " + command);
    INFO(stopped.out << stopped.err);
    CHECK(stopped.status == 128 + 15);
    CHECK(stopped.out.empty());
    CHECK(read_file(target) == "what was here before");
    CHECK(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator{}) == 1);
}

TEST_CASE("a full disk is one line and leaves nothing behind") {
    const TemporaryFolder folder;
    const std::string target = folder / "golden.h5";
    write_file(target, "what was here before");
    // A limit on the size of a file fails like a full disk, without needing one. The signal that comes first is
    // ignored.
    const Finished full = run_shell("trap '' XFSZ; ulimit -f 8; " + program + " generate --case " + small_case +
                                    " -o " + shell_quoted(target));
    check_refused(full, "golden.h5");
    CHECK(read_file(target) == "what was here before");
    CHECK(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator{}) == 1);
}
