// FileReader: the first fault ends the reading with one line that names file, case and dataset.
#include <algorithm>

#include "golden/file_root.hpp"
#include "golden/h5_dataset.hpp"
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

bool FileReader::stores_inputs(const std::string& case_id) const {
    if (std::find(impl_->ids.begin(), impl_->ids.end(), case_id) == impl_->ids.end()) return true;  // read says so
    return impl_->strictly("case " + case_id + ": ", [&](const Report&) {
        const auto value =
            h5::find_attribute(h5::open_group(impl_->file->root(), case_id), std::string(inputs_stored_name));
        return !value || unwrapped(*value) != AttributeValue(std::int64_t{0});
    });
}

CaseData FileReader::read(const std::string& case_id) const {
    return impl_->read(case_id, Values::keep);
}
CaseData FileReader::read_head(const std::string& case_id) const {
    return impl_->read(case_id, Values::head);
}

struct TensorReader::Impl {
    Impl(const h5::File& file, const std::string& case_id, const std::string& path, std::string location)
        : where(std::move(location)), rule(dataset_rule(path)), dataset(file, case_id + "/" + path), cursor(dataset) {}
    std::string where;
    const DatasetRule& rule;
    h5::Dataset dataset;
    h5::DatasetCursor cursor;
};

TensorReader::TensorReader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TensorReader::~TensorReader() = default;
TensorReader::TensorReader(TensorReader&&) noexcept = default;
TensorReader& TensorReader::operator=(TensorReader&&) noexcept = default;

const std::vector<std::int64_t>& TensorReader::extents() const {
    return impl_->dataset.extents();
}

void TensorReader::read(std::span<double> out) {
    try {
        impl_->cursor.read(out);
        if (impl_->rule.content != Content::error_scale) return;
        for (const double value : out) {
            if (!(value >= 0)) throw FormatError("an error scale must be at least 0");
        }
    } catch (const FormatError& error) {
        throw FormatError(impl_->where + error.what());
    }
}

std::optional<TensorReader> FileReader::open(const std::string& case_id, const std::string& path) const {
    const DatasetRule& rule = dataset_rule(path);
    const std::string where = impl_->path.string() + ": case " + case_id + ": " + path + ": ";
    try {
        const h5::Node* group = h5::find_child(h5::open_group(impl_->file->root(), case_id), std::string(rule.group));
        if (group == nullptr || h5::find_child(*group, std::string(rule.name)) == nullptr) return std::nullopt;
        return TensorReader(std::make_unique<TensorReader::Impl>(*impl_->file, case_id, path, where));
    } catch (const FormatError& error) {
        throw FormatError(where + error.what());
    }
}

}  // namespace dca::golden
