// FileReader: the first fault ends the reading with one line that names file, case and dataset.
#include <algorithm>

#include "golden/file_root.hpp"
#include "golden/h5_dataset.hpp"
#include "golden/h5_reader.hpp"
#include "golden/schema.hpp"
#include "golden/store.hpp"
#include "golden/text.hpp"

namespace dca::golden {

struct FileReader::Impl {
    std::filesystem::path path;
    std::unique_ptr<h5::File> file;
    std::vector<std::string> ids;

    [[nodiscard]] CaseData read(const std::string& case_id, Values values) const;

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
        impl_->file = std::make_unique<h5::File>(path);
        return read_root(impl_->file->root(), report);
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

CaseData FileReader::Impl::read(const std::string& case_id, Values values) const {
    if (std::find(ids.begin(), ids.end(), case_id) == ids.end()) {
        const std::vector<std::string_view> names(ids.begin(), ids.end());
        throw FormatError(path.string() + ": there is no case " + printable(case_id) + suggestion(case_id, names));
    }
    return strictly("case " + case_id + ": ",
                    [&](const Report& report) { return read_case(*file, case_id, Demand::complete, report, values); });
}

CaseData FileReader::read(const std::string& case_id) const {
    return impl_->read(case_id, Values::keep);
}
CaseData FileReader::read_head(const std::string& case_id) const {
    return impl_->read(case_id, Values::head);
}

std::unique_ptr<TensorReader> FileReader::open(const std::string& case_id, const std::string& path) const {
    const DatasetRule& rule = dataset_rule(path);
    const std::string where = impl_->path.string() + ": case " + case_id + ": " + path + ": ";
    try {
        const h5::Node* group = h5::find_child(h5::open_group(impl_->file->root(), case_id), std::string(rule.group));
        if (group == nullptr || h5::find_child(*group, std::string(rule.name)) == nullptr) return nullptr;
        std::unique_ptr<TensorReader> reader = h5::open_reader(h5::Dataset(*impl_->file, case_id + "/" + path));
        if (rule.content == Content::error_scale) reader = without_negatives(std::move(reader));
        return with_location(std::move(reader), where);
    } catch (const FormatError& error) {
        throw FormatError(where + error.what());
    }
}

}  // namespace dca::golden
