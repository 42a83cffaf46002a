// A program of somebody else's as a CaseRunner (docs/gate.md): it is given a file of inputs and writes one of outputs.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "verify/candidate/candidate_file.hpp"
#include "verify/gate/case_runner.hpp"
#include "verify/gate/process.hpp"
#include "verify/gate/work_folder.hpp"

namespace dca::verify {

/// Exit status by which a program says that it does not support a case, as in automake's and Meson's tests.
inline constexpr int unsupported_status = 77;

struct CommandOptions {
    std::string command;               ///< holds {input} and {output}
    std::string name;                  ///< of the candidate in reports and waivers; empty: the command
    bool shell = false;                ///< give it to /bin/sh -c, with placeholders quoted
    bool batch = false;                ///< one process for all cases
    std::string output_format = "h5";  ///< or npz, safetensors: how the name of {output} ends
    double timeout = 600;              ///< seconds for each case
    std::int64_t memory_limit = 0;     ///< bytes of address space; 0: none
    int jobs = 1;                      ///< programs at a time
    std::filesystem::path keep;        ///< folder in which all files stay; empty: none stays
    std::function<void()> waiting;     ///< called some times a second while the program runs; may throw to stop
};

class CommandRunner final : public CaseRunner {
public:
    /// Throws InvalidProblem for a command without {input} and {output} or with bad quotes, IoError where there is no
    /// such program.
    explicit CommandRunner(CommandOptions options);
    ~CommandRunner() override;

    [[nodiscard]] std::string name() const override { return options_.name.empty() ? options_.command : options_.name; }
    void begin(const std::vector<golden::CaseSpec>& cases) override;
    [[nodiscard]] Attempt attempt(const golden::CaseSpec& spec, const golden::CaseData& inputs) override;

private:
    struct Run;

    std::unique_ptr<Run> start(const std::vector<golden::CaseSpec>& cases, const std::string& name) const;
    void wait_for(Run& run) const;
    [[nodiscard]] Attempt outcome(const Run& run, const golden::CaseData& inputs, bool bare_allowed) const;
    [[nodiscard]] golden::Results read(const Run& run, const golden::CaseData& inputs, bool bare_allowed) const;

    CommandOptions options_;
    std::vector<std::string> words_;
    std::filesystem::path program_;
    WorkFolder folder_;
    std::vector<golden::CaseSpec> cases_;
    std::vector<std::unique_ptr<Run>> runs_;  ///< by case; batch: one
    std::size_t started_ = 0, attempted_ = 0;
};

}  // namespace dca::verify
