// FileReader: the first fault ends the reading with one line that names file, case and dataset.
#include <algorithm>

#include "golden/file_root.hpp"
#include "golden/h5_attribute.hpp"
#include "golden/h5_dataset.hpp"
#include "golden/schema.hpp"
#include "golden/store.hpp"
#include "golden/text.hpp"

namespace dca::golden {

struct FileReader::Impl {
    std::filesystem::path path;
    h5::Handle file;
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

CaseData FileReader::Impl::read(const std::string& case_id, Values values) const {
    if (std::find(ids.begin(), ids.end(), case_id) == ids.end()) {
        const std::vector<std::string_view> names(ids.begin(), ids.end());
        throw FormatError(path.string() + ": there is no case " + printable(case_id) + suggestion(case_id, names));
    }
    return strictly("case " + case_id + ": ", [&](const Report& report) {
        return read_case(file.get(), case_id, Demand::complete, report, values);
    });
}

bool FileReader::stores_inputs(const std::string& case_id) const {
    if (std::find(impl_->ids.begin(), impl_->ids.end(), case_id) == impl_->ids.end()) return true;  // read says so
    return impl_->strictly("case " + case_id + ": ", [&](const Report&) {
        const h5::Handle group = h5::open_group(impl_->file.get(), case_id);
        const auto names = h5::attribute_names(group.get());
        const std::string name(inputs_stored_name);
        return std::find(names.begin(), names.end(), name) == names.end() ||
               unwrapped(h5::read_attribute(group.get(), name)) != AttributeValue(std::int64_t{0});
    });
}

CaseData FileReader::read(const std::string& case_id) const {
    return impl_->read(case_id, Values::keep);
}
CaseData FileReader::read_head(const std::string& case_id) const {
    return impl_->read(case_id, Values::head);
}

struct TensorReader::Impl {
    Impl(hid_t case_group, const std::string& path, std::string location)
        : where(std::move(location)), rule(dataset_rule(path)), dataset(case_group, path), cursor(dataset) {}
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
        const h5::Handle group = h5::open_group(impl_->file.get(), case_id);
        const auto has = [](hid_t parent, std::string_view name) {
            const auto all = h5::children(parent);
            return std::any_of(all.begin(), all.end(), [&](const h5::Child& child) { return child.name == name; });
        };
        if (!has(group.get(), rule.group)) return std::nullopt;
        const h5::Handle parent = h5::open_group(group.get(), std::string(rule.group));
        if (!has(parent.get(), rule.name)) return std::nullopt;
        return TensorReader(std::make_unique<TensorReader::Impl>(group.get(), path, where));
    } catch (const FormatError& error) {
        throw FormatError(where + error.what());
    }
}

}  // namespace dca::golden
