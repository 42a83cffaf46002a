#include <charconv>
#include <sstream>

#include "golden/case_text.hpp"
#include "verify/measure/session.hpp"

namespace dca::measure {
namespace {

template <class T>
T number(const std::string& word) {
    T value{};
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
    expects(error == std::errc() && end == word.data() + word.size(), "measure: a reply nobody understands");
    return value;
}

template <class T>
std::optional<T> number_or_nothing(const std::string& word) {
    if (word == "-") return std::nullopt;
    return number<T>(word);
}

std::vector<std::string> words_of(const std::string& line) {
    std::istringstream text(line);
    std::vector<std::string> words;
    for (std::string word; text >> word;) words.push_back(word);
    return words;
}

class BuiltinSession final : public Session {
public:
    BuiltinSession(const Contender& contender, const Size& size, const Workshop& workshop)
        : timeout_(workshop.timeout), waiting_(workshop.waiting), child_(order(contender, size, workshop)) {
        const std::vector<std::string> words = reply("ready", 4);
        input_bytes_ = number<std::int64_t>(words[1]);
        output_bytes_ = number<std::int64_t>(words[2]);
        source_ = static_cast<MemorySource>(number<int>(words[3]));
    }

    [[nodiscard]] Reading run(std::int64_t calls) override {
        child_.send("run " + std::to_string(calls));
        const std::vector<std::string> words = reply("done", 7);
        Reading reading;
        reading.wall_seconds = number<double>(words[1]);
        reading.cpu_seconds = number<double>(words[2]);
        reading.peak_bytes = number_or_nothing<std::int64_t>(words[3]);
        reading.resident_bytes = number_or_nothing<std::int64_t>(words[4]);
        reading.gpu_seconds = number_or_nothing<double>(words[5]);
        reading.gpu_bytes = number_or_nothing<std::int64_t>(words[6]);
        return reading;
    }
    [[nodiscard]] MemorySource memory_source() const override { return source_; }
    [[nodiscard]] std::int64_t input_bytes() const override { return input_bytes_; }
    [[nodiscard]] std::int64_t output_bytes() const override { return output_bytes_; }

private:
    static verify::ProcessOrder order(const Contender& contender, const Size& size, const Workshop& workshop) {
        const std::string text = golden::to_text(case_of(contender.setting, size));
        return {workshop.program,
                {"dca", "measure-point", "--candidate", contender.candidate, "--threads",
                 std::to_string(contender.setting.threads), "--case", text},
                workshop.timeout,
                0};
    }

    std::vector<std::string> reply(const std::string& expected, std::size_t count) {
        const std::optional<std::string> line = child_.receive(after_seconds(timeout_), waiting_);
        if (line && line->starts_with(expected + " ")) {
            std::vector<std::string> words = words_of(*line);
            expects(words.size() == count, "measure: a reply of another length");
            return words;
        }
        for (const std::string kind : {"broke ", "unsupported "}) {
            if (line && line->starts_with(kind)) throw CandidateBroke(line->substr(kind.size()));
        }
        // What came to its end by itself is given a moment; what still works is out of time.
        child_.finish(after_seconds(0.2), waiting_);
        throw CandidateBroke("it " + child_.how_it_ended());
    }

    double timeout_;
    Waiting waiting_;
    Child child_;
    std::int64_t input_bytes_ = 0, output_bytes_ = 0;
    MemorySource source_ = MemorySource::none;
};

}  // namespace

std::unique_ptr<Session> open_builtin(const Contender& contender, const Size& size, Workshop& workshop) {
    return std::make_unique<BuiltinSession>(contender, size, workshop);
}

std::unique_ptr<Session> open_session(const Contender& contender, const Size& size, Workshop& workshop) {
    return contender.command.empty() ? open_builtin(contender, size, workshop)
                                     : open_command(contender, size, workshop);
}

}  // namespace dca::measure
