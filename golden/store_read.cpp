// FileReader: the first fault ends the reading with one line that names file, case and dataset.
#include "golden/file_root.hpp"
#include "golden/store.hpp"
#include "golden/text.hpp"

namespace dca::golden {

struct FileReader::Impl {
    std::filesystem::path path;
    h5::Handle file;
    std::vector<std::string> ids;

    /// Runs `work(report)`; whatever it reports or throws becomes a FormatError that starts with the file's name.
    template <class Work>
    auto strictly(const std::string& where, const Work& work) const {
        struct Fault {
            std::string line;
        };
        try {
            return work([](const Finding& finding) {
                if (finding.level == Finding::Level::error) throw Fault{finding.where + ": " + finding.message};
            });
        } catch (const Fault& fault) {
            throw FormatError(path.string() + ": " + fault.line);
        } catch (const FormatError& error) {
            throw FormatError(path.string() + ": " + where + error.what());
        }
    }
};

FileReader::FileReader(const std::filesystem::path& path) : impl_(std::make_unique<Impl>()) {
    impl_->path = path;
    impl_->ids = impl_->strictly("", [&](const Report& report) {
        impl_->file = open_file(path);
        return read_root(impl_->file.get(), report);
    });
}

FileReader::~FileReader() = default;
FileReader::FileReader(FileReader&&) noexcept = default;
FileReader& FileReader::operator=(FileReader&&) noexcept = default;

const std::vector<std::string>& FileReader::case_ids() const {
    return impl_->ids;
}
const std::filesystem::path& FileReader::path() const {
    return impl_->path;
}

CaseData FileReader::read(const std::string& case_id) const {
    const auto& ids = impl_->ids;
    if (std::find(ids.begin(), ids.end(), case_id) == ids.end()) {
        const std::vector<std::string_view> names(ids.begin(), ids.end());
        throw FormatError(impl_->path.string() + ": there is no case " + printable(case_id) +
                          suggestion(case_id, names));
    }
    return impl_->strictly("case " + case_id + ": ", [&](const Report& report) {
        return read_case(impl_->file.get(), case_id, Demand::complete, report);
    });
}

}  // namespace dca::golden
