// One candidate at one size, open for measuring: a process of ours that is asked for one run after another, or a
// command that is started for each.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "verify/gate/work_folder.hpp"
#include "verify/measure/child.hpp"
#include "verify/measure/size.hpp"

namespace dca::measure {

/// What one run took.
struct Reading {
    double wall_seconds = 0, cpu_seconds = 0;
    std::optional<std::int64_t> peak_bytes, resident_bytes, gpu_bytes;
    std::optional<double> gpu_seconds;
};

/// Thrown by a session whose candidate broke, was too slow or refused; what() says how, one clause.
struct CandidateBroke : Error {
    using Error::Error;
};

class Session {
public:
    virtual ~Session() = default;
    /// Seconds of `calls` calls together. Throws CandidateBroke.
    [[nodiscard]] virtual Reading run(std::int64_t calls) = 0;
    [[nodiscard]] virtual MemorySource memory_source() const = 0;
    [[nodiscard]] virtual std::int64_t input_bytes() const = 0;
    [[nodiscard]] virtual std::int64_t output_bytes() const = 0;
    /// Whether a call is a whole process, so that short ones are not repeated within a run.
    [[nodiscard]] virtual bool whole_process() const { return false; }
};

/// What is measured: a candidate that comes with the program, or a command.
struct Contender {
    std::string candidate;  ///< name in reports
    std::string command;    ///< empty: `candidate` names one of subjects()
    Setting setting;
};

/// Where processes come from, and how long one may take.
struct Workshop {
    std::filesystem::path program;  ///< dca, or another that has its hidden sub-command measure-point
    double timeout = 600;           ///< seconds of one run
    Waiting waiting;
    std::shared_ptr<verify::WorkFolder> folder;  ///< of input files; made when first needed
    int files = 0;                               ///< folders made in it so far
    /// Of a command: resident bytes of the whole process, less its inputs, where there is next to nothing to compute.
    std::map<std::string, std::int64_t> floors;
};

/// Opens it: the process is started and its inputs are made. Throws CandidateBroke where the candidate broke or cannot
/// compute this size, IoError where the system has no process or file left.
[[nodiscard]] std::unique_ptr<Session> open_session(const Contender& contender, const Size& size, Workshop& workshop);

/// The two kinds behind it.
[[nodiscard]] std::unique_ptr<Session> open_builtin(const Contender& contender, const Size& size, Workshop& workshop);
[[nodiscard]] std::unique_ptr<Session> open_command(const Contender& contender, const Size& size, Workshop& workshop);

}  // namespace dca::measure
