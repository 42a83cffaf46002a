#include "verify/judge/result.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <ostream>
#include <sstream>

#include "reference/spec/error.hpp"
#include "verify/report/writers.hpp"

namespace dca::judge {
namespace {

CaseResult case_of(const verify::CaseReport& report) {
    CaseResult result{report.id, std::string(name(report.verdict)), report.reason, {}};
    for (const verify::Explanation& explanation : report.explanations) result.mistakes.push_back(explanation.id);
    return result;
}

void write_file(const std::string& path, const verify::RunReport& report,
                void (*write)(std::ostream&, const verify::RunReport&)) {
    const std::string part = path + ".part";
    std::ofstream out(part);
    if (out) write(out, report);
    out.close();
    std::error_code error;
    if (out) std::filesystem::rename(part, path, error);
    if (!out || error) {
        std::error_code ignored;
        std::filesystem::remove(part, ignored);
        throw IoError("cannot write the report " + path + (error ? ": " + error.message() : std::string()));
    }
}

}  // namespace

Result result_of(verify::RunReport report) {
    auto impl = std::make_shared<Result::Impl>();
    for (const verify::CaseReport& one : report.cases) impl->cases.push_back(case_of(one));
    impl->report = std::move(report);
    return Result(std::move(impl));
}

Result::Result(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}

bool Result::passed() const {
    return exit_status() == 0;
}

int Result::exit_status() const {
    return verify::exit_status(impl_->report.verdict);
}

const std::vector<CaseResult>& Result::cases() const {
    return impl_->cases;
}

bool Result::names(std::string_view mistake) const {
    return std::any_of(impl_->cases.begin(), impl_->cases.end(), [&](const CaseResult& result) {
        return std::find(result.mistakes.begin(), result.mistakes.end(), mistake) != result.mistakes.end();
    });
}

std::string Result::text() const {
    std::ostringstream out;
    verify::write_text(out, impl_->report, {});
    return out.str();
}

std::string Result::markdown() const {
    std::ostringstream out;
    verify::write_markdown(out, impl_->report);
    return out.str();
}

void Result::write_json(const std::string& path) const {
    write_file(path, impl_->report, verify::write_json);
}

void Result::write_junit(const std::string& path) const {
    write_file(path, impl_->report, verify::write_junit);
}

void Result::write_markdown(const std::string& path) const {
    write_file(path, impl_->report, verify::write_markdown);
}

void Result::write_html(const std::string& path) const {
    write_file(path, impl_->report,
               [](std::ostream& out, const verify::RunReport& report) { verify::write_html(out, report); });
}

std::ostream& operator<<(std::ostream& out, const Result& result) {
    return out << result.text();
}

}  // namespace dca::judge
