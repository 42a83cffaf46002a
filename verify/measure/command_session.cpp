// A program of somebody else's, run once for every reading. It gets the files that `dca gate` gives it.
#include <algorithm>
#include <system_error>

#include "golden/case_text.hpp"
#include "verify/gate/command_words.hpp"
#include "verify/measure/session.hpp"

namespace dca::measure {
namespace {
namespace fs = std::filesystem;

/// Small enough to need next to nothing, large enough to have all three modes: L = 4, so the sixth chunk sees inter.
constexpr Size floor_size{24, 8, 4};

double seconds(const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

struct Run {
    double wall, cpu;
    std::int64_t resident;
};

/// The files of one size, and the command that reads one and writes the other.
class Files {
public:
    Files(const Contender& contender, const Size& size, Workshop& workshop) : workshop_(workshop) {
        if (!workshop.folder) workshop.folder = std::make_shared<verify::WorkFolder>(fs::path());
        folder_ = workshop.folder->add("n" + std::to_string(size.n) + "-" + std::to_string(workshop.files++));
        const golden::CaseSpec spec = case_of(contender.setting, size);
        input_bytes_ = input_elements(spec) * (contender.setting.dtype == "f64" ? 8 : 4);
        output_bytes_ = output_elements(spec) * (contender.setting.dtype == "f64" ? 8 : 4);
        // In a process of its own: what this one has resident is a floor under what is seen of its children.
        Child maker({workshop.program,
                     {"dca", "generate", "--inputs-only", "--case", golden::to_text(spec), "-o", input().string()},
                     workshop.timeout,
                     0});
        maker.finish(after_seconds(workshop.timeout), workshop.waiting);
        if (maker.end().how != verify::ProcessEnd::How::exited || maker.end().number != 0) {
            throw IoError("the inputs of n = " + std::to_string(size.n) + " could not be made: dca generate " +
                          maker.how_it_ended());
        }
        order_ = order(contender, size);
    }
    ~Files() { workshop_.folder->release(folder_); }
    Files(const Files&) = delete;
    Files& operator=(const Files&) = delete;

    [[nodiscard]] std::int64_t input_bytes() const { return input_bytes_; }
    [[nodiscard]] std::int64_t output_bytes() const { return output_bytes_; }

    [[nodiscard]] Run run() const {
        std::error_code ignored;
        fs::remove(output(), ignored);
        Child child(order_);
        child.finish(after_seconds(workshop_.timeout), workshop_.waiting);
        if (child.end().how != verify::ProcessEnd::How::exited || child.end().number != 0) {
            throw CandidateBroke("the program " + child.how_it_ended());
        }
        const bool wrote = fs::exists(output(), ignored) && fs::file_size(output(), ignored) > 0;
        if (!wrote) throw CandidateBroke("the program wrote no output, so what was measured is not known");
        const rusage& used = child.usage();
        return {child.end().seconds, seconds(used.ru_utime) + seconds(used.ru_stime), used.ru_maxrss * 1024};
    }

private:
    [[nodiscard]] fs::path input() const { return folder_ / "input.h5"; }
    [[nodiscard]] fs::path output() const { return folder_ / "output.h5"; }

    [[nodiscard]] verify::ProcessOrder order(const Contender& contender, const Size& size) const {
        const std::vector<std::string> words = verify::split_command(contender.command);
        const verify::Placeholders values{{"{input}", input().string()},
                                          {"{output}", output().string()},
                                          {"{n}", std::to_string(size.n)},
                                          {"{chunk_size}", std::to_string(size.chunk_size)},
                                          {"{local_size}", std::to_string(size.local_size)}};
        verify::ProcessOrder order;
        for (const std::string& word : words) order.arguments.push_back(verify::filled(word, values));
        order.program = verify::find_program(words.front());
        order.timeout = workshop_.timeout;
        return order;
    }

    Workshop& workshop_;
    fs::path folder_;
    std::int64_t input_bytes_ = 0, output_bytes_ = 0;
    verify::ProcessOrder order_;
};

class CommandSession final : public Session {
public:
    CommandSession(const Contender& contender, const Size& size, Workshop& workshop)
        : files_(contender, size, workshop) {
        const auto known = workshop.floors.find(contender.command);
        if (known != workshop.floors.end()) {
            floor_ = known->second;
            return;
        }
        const Files small(contender, floor_size, workshop);
        floor_ = small.run().resident - small.input_bytes();
        workshop.floors[contender.command] = floor_;
    }

    [[nodiscard]] Reading run(std::int64_t calls) override {
        expects(calls == 1, "a command is one call");
        const Run run = files_.run();
        Reading reading;
        reading.wall_seconds = run.wall;
        reading.cpu_seconds = run.cpu;
        reading.peak_bytes = std::max<std::int64_t>(0, run.resident - floor_ - files_.input_bytes());
        return reading;
    }
    [[nodiscard]] MemorySource memory_source() const override { return MemorySource::rusage; }
    [[nodiscard]] std::int64_t input_bytes() const override { return files_.input_bytes(); }
    [[nodiscard]] std::int64_t output_bytes() const override { return files_.output_bytes(); }
    [[nodiscard]] bool whole_process() const override { return true; }

private:
    Files files_;
    std::int64_t floor_ = 0;
};

}  // namespace

std::unique_ptr<Session> open_command(const Contender& contender, const Size& size, Workshop& workshop) {
    return std::make_unique<CommandSession>(contender, size, workshop);
}

}  // namespace dca::measure
