// Programs that crash, hang, flood and leave children behind: all end, and nothing of them stays.
#include <csignal>
#include <thread>

#include "reference/spec/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/process.hpp"
#include "verify/gate/process.hpp"

using namespace dca::verify;
using How = ProcessEnd::How;

namespace {

ProcessOrder shell(const std::string& script, double timeout = 60) {
    return {"/bin/sh", {"sh", "-c", script}, timeout, 0};
}

ProcessEnd run(const ProcessOrder& order) {
    const std::atomic<bool> stop = false;
    return run_process(order, stop);
}

std::string told(const ProcessOrder& order) {
    return describe(run(order), order);
}

}  // namespace

TEST_CASE("Output, exit status and time of a program") {
    const ProcessEnd end = run(shell("echo out; echo err >&2; cat; exit 5"));
    CHECK(end.how == How::exited);
    CHECK(end.number == 5);
    CHECK(end.out == "out\n");  // cat found an empty input
    CHECK(end.err == "err\n");
    CHECK(end.seconds > 0);
    CHECK(told(shell("exit 0")) == "exited with status 0");
    CHECK(told(shell("printf 'a\\n\\033b c\\n' >&2; exit 1")) == "exited with status 1; its last words: a ?b c");
    CHECK(told(shell("echo said; exit 1")) == "exited with status 1; its last output: said");
}

TEST_CASE("A crash is told by the name of its signal") {
    CHECK(told(shell("kill -SEGV $$")) == "was killed by SIGSEGV (Segmentation fault)");
    CHECK(told(shell("kill -FPE $$")).find("SIGFPE") != std::string::npos);
    CHECK(told(shell("kill -9 $$")).find("want of memory") != std::string::npos);
}

TEST_CASE("A program that hangs is killed with its children") {
    const dca::test::TemporaryFolder folder;
    const std::string marker = folder / "late";
    const auto order = shell("(sleep 0.6; touch '" + marker + "') & sleep 60", 0.2);
    const ProcessEnd end = run(order);
    CHECK(end.how == How::timed_out);
    CHECK(end.seconds < 30);
    CHECK(describe(end, order) == "did not end within 0.2 s and was killed");
    std::this_thread::sleep_for(std::chrono::milliseconds(900));
    CHECK_FALSE(std::filesystem::exists(marker));
}

TEST_CASE("A child left behind ends with the program") {
    const dca::test::TemporaryFolder folder;
    const std::string marker = folder / "late";
    const ProcessEnd end = run(shell("(sleep 0.3; touch '" + marker + "') & exit 0"));
    CHECK(end.how == How::exited);
    CHECK(end.number == 0);
    std::this_thread::sleep_for(std::chrono::milliseconds(600));
    CHECK_FALSE(std::filesystem::exists(marker));
}

TEST_CASE("A flood of output is read and its end kept") {
    const ProcessEnd end = run(shell("head -c 20000000 /dev/zero | tr '\\0' x; echo; echo last"));
    CHECK(end.how == How::exited);
    CHECK(end.out.size() == 4096);
    CHECK(end.out.substr(end.out.size() - 6) == "\nlast\n");
    CHECK(run(shell("yes", 0.2)).how == How::timed_out);
    CHECK(run(shell("exec >&- 2>&-; sleep 60", 0.2)).how == How::timed_out);
}

TEST_CASE("A program can be stopped from outside") {
    std::atomic<bool> stop = false;
    std::thread later([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
        stop = true;
    });
    CHECK(run_process(shell("sleep 60"), stop).how == How::stopped);
    later.join();
}

TEST_CASE("Memory is limited") {
    // dd takes its block size from the heap.
    ProcessOrder order{"/bin/dd", {"dd", "if=/dev/zero", "of=/dev/null", "bs=512M", "count=1"}, 60, 0};
    CHECK(run(order).number == 0);
    order.memory_limit = std::int64_t{128} << 20;
    CHECK(told(order).find("exited with status 1, under a memory limit of 128 MiB; its last words: dd: ") == 0);
}

TEST_CASE("Programs that are not there or are none") {
    const dca::test::TemporaryFolder folder;
    CHECK_THROWS_AS(find_program("no-such-program-dca"), dca::IoError);
    CHECK_THROWS_AS(find_program(folder / "no"), dca::IoError);
    CHECK_THROWS_AS(find_program(folder.path().string()), dca::IoError);
    CHECK_THROWS_AS(find_program(""), dca::IoError);
    CHECK(find_program("sh").filename() == "sh");
    dca::test::write_file(folder / "none", "not a program");
    CHECK_THROWS_AS(find_program(folder / "none"), dca::IoError);
    std::filesystem::permissions(folder / "none", std::filesystem::perms::owner_all);
    CHECK(run({find_program(folder / "none"), {"none"}, 60, 0}).how == How::not_started);
    CHECK(told({"/nowhere", {"nowhere"}, 60, 0}) == "could not be started: No such file or directory");
}

TEST_CASE("Signals the gate handles are not handled in the program") {
    CHECK(told(shell("trap")) == "exited with status 0");
    CHECK(told(shell("kill -INT $$")).find("SIGINT") != std::string::npos);
}
