#include "verify/gate/command_runner.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <fstream>
#include <mutex>
#include <thread>

#include "verify/gate/command_words.hpp"
#include "verify/run/write_inputs.hpp"

namespace dca::verify {
namespace fs = std::filesystem;

/// One process, from the inputs it reads to the file it writes. Destroyed early, it takes the process along.
struct CommandRunner::Run {
    fs::path folder, input, output;
    ProcessOrder order;
    ProcessEnd end;
    std::exception_ptr failure;
    std::atomic<bool> stop = false;
    bool ended = false;
    std::mutex mutex;
    std::condition_variable changed;
    std::thread thread;

    ~Run() {
        stop = true;
        if (thread.joinable()) thread.join();
    }

    void go() {
        thread = std::thread([this] {
            try {
                end = run_process(order, stop);
            } catch (...) {
                failure = std::current_exception();
            }
            const std::lock_guard lock(mutex);
            ended = true;
            changed.notify_all();
        });
    }
};

CommandRunner::CommandRunner(CommandOptions options)
    : options_(std::move(options)),
      words_(split_command(options_.shell ? "/bin/sh" : options_.command)),
      folder_(options_.keep) {
    for (const char* placeholder : {"{input}", "{output}"}) {
        if (options_.command.find(placeholder) != std::string::npos) continue;
        throw InvalidProblem(std::string("--command: has no ") + placeholder + ", so the program would not know its " +
                             (placeholder[1] == 'i' ? "inputs" : "output file"));
    }
    if (options_.shell) {
        words_ = {"/bin/sh", "-c", options_.command};
    } else if (words_.front().find("put}") != std::string::npos) {
        throw InvalidProblem("--command: its first word is the program, not " + words_.front());
    }
    program_ = find_program(words_.front());
}

CommandRunner::~CommandRunner() {
    for (auto& run : runs_) {
        if (run) run->stop = true;  // all at once, then each is waited for
    }
}

void CommandRunner::begin(const std::vector<golden::CaseSpec>& cases) {
    cases_ = cases;
    runs_.resize(cases.size());
}

std::unique_ptr<CommandRunner::Run> CommandRunner::start(const std::vector<golden::CaseSpec>& cases,
                                                         const std::string& name) const {
    auto run = std::make_unique<Run>();
    run->folder = folder_.add(name);
    run->input = run->folder / "input.h5";
    run->output = run->folder / ("output." + options_.output_format);
    write_inputs(cases, run->input, {});
    const Placeholders plain{{"{input}", run->input.string()}, {"{output}", run->output.string()}, {"{case}", name}};
    Placeholders quoted = plain;
    for (auto& [placeholder, value] : quoted) value = shell_word(value);
    for (const std::string& word : words_)
        run->order.arguments.push_back(filled(word, options_.shell ? quoted : plain));
    run->order.program = program_;
    run->order.timeout = options_.timeout * static_cast<double>(cases.size());
    run->order.memory_limit = options_.memory_limit;
    run->go();
    return run;
}

void CommandRunner::wait_for(Run& run) const {
    using namespace std::chrono_literals;
    std::unique_lock lock(run.mutex);
    while (!run.changed.wait_for(lock, 50ms, [&] { return run.ended; })) {
        if (options_.waiting) options_.waiting();
    }
    lock.unlock();
    if (run.failure) std::rethrow_exception(run.failure);
}

Attempt CommandRunner::attempt(const golden::CaseSpec& spec, const golden::CaseData& inputs) {
    const std::size_t index = attempted_++;
    expects(index < cases_.size() && cases_[index].id == spec.id, "CommandRunner: cases come in the order of begin");
    const std::size_t ahead = options_.batch ? 1 : index + static_cast<std::size_t>(options_.jobs);
    for (; started_ < std::min(ahead, cases_.size()); ++started_) {
        runs_[started_] = options_.batch ? start(cases_, "batch") : start({cases_[started_]}, cases_[started_].id);
    }
    std::unique_ptr<Run>& run = runs_[options_.batch ? 0 : index];
    wait_for(*run);
    if (index == 0 || !options_.batch) {
        if (folder_.keeps()) {
            std::ofstream(run->folder / "stdout.txt") << run->end.out;
            std::ofstream(run->folder / "stderr.txt") << run->end.err;
        }
    }
    Attempt attempt = outcome(*run, inputs, cases_.size() == 1 || !options_.batch);
    // Folders are named by chance; a report is the same every time.
    const std::string folder = run->folder.string() + "/";
    for (std::size_t at = 0; (at = attempt.reason.find(folder, at)) != std::string::npos;)
        attempt.reason.erase(at, folder.size());
    const bool last = !options_.batch || index + 1 == cases_.size();
    if (last) {
        folder_.release(run->folder);
        run.reset();
    }
    return attempt;
}

Attempt CommandRunner::outcome(const Run& run, const golden::CaseData& inputs, bool bare_allowed) const {
    Attempt attempt;
    attempt.seconds = run.end.seconds / static_cast<double>(options_.batch ? cases_.size() : 1);
    const bool exited = run.end.how == ProcessEnd::How::exited;
    if (exited && run.end.number == unsupported_status) {
        attempt.end = Attempt::End::unsupported;
        attempt.reason = "the program says so: it " + describe(run.end, run.order);
        return attempt;
    }
    if (!exited || run.end.number != 0) {
        attempt.reason = "the program " + describe(run.end, run.order);
        return attempt;
    }
    try {
        attempt.results = read(run, inputs, bare_allowed);
        attempt.end = Attempt::End::computed;
    } catch (const Error& error) {
        attempt.reason = error.what();
    }
    return attempt;
}

golden::Results CommandRunner::read(const Run& run, const golden::CaseData& inputs, bool bare_allowed) const {
    std::error_code error;
    if (!fs::exists(fs::symlink_status(run.output, error))) {
        throw IoError("the program " + describe(run.end, run.order) + ", but wrote no output file");
    }
    const std::unique_ptr<CandidateFile> file = open_candidate(run.output);
    const std::vector<std::string> ids = file->case_ids();
    const bool bare = ids.size() == 1 && ids.front().empty();
    if (bare && !bare_allowed) {
        throw FormatError(run.output.string() +
                          ": its tensors name no case, but it is for several: name them "
                          "<case>/outputs/<tensor>");
    }
    if (!bare && std::find(ids.begin(), ids.end(), inputs.id) == ids.end()) {
        throw FormatError(run.output.string() + ": holds no tensor of case " + inputs.id +
                          (ids.empty() ? std::string() : ", but of case " + ids.front()));
    }
    golden::Results results = file->read(inputs);
    if (!results.out && !results.lse && !results.dq && !results.dk && !results.dv) {
        throw FormatError(run.output.string() + ": holds no output of case " + inputs.id);
    }
    return results;
}

}  // namespace dca::verify
