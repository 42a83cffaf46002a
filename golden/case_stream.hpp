// The group of one case as it is being written: attributes, lists and empty datasets first, then elements in any
// number of pieces, then checksums and certificates.
#pragma once

#include <map>

#include "golden/h5_output.hpp"
#include "golden/h5_stream.hpp"
#include "golden/schema.hpp"
#include "golden/store.hpp"

namespace dca::golden {

/// A call of the library that fails after a failed write fails because of it: the disk is the reason to show.
template <class Work>
void reporting_the_disk_first(const h5::OutputFile& output, const Work& work) {
    try {
        work();
    } catch (const FormatError& error) {
        output.require_written();
        throw IoError("cannot write " + output.target().string() + ": " + error.what());
    }
    output.require_written();
}

struct CaseStream::Impl {
    Impl(const h5::OutputFile& to, const CaseData& head, const std::vector<std::string>& tensors);

    template <class T>
    void append(std::string_view path, std::span<const T> values);
    void finish(const Certificates& certificates);

private:
    void create(const CaseData& head, const std::vector<std::string>& tensors);
    void write_attributes(const CaseData& head);
    void write_free_attributes(const Attributes& attributes, AttributeClass expected);
    void create_datasets(const std::string& group_name, const CaseData& head, const std::vector<std::string>& tensors);
    void write_judge_lists(const CaseData& head);

    const h5::OutputFile& output_;
    std::string id_;
    h5::Handle case_;
    std::map<std::string, h5::Handle, std::less<>> groups_;
    std::map<std::string, h5::DatasetStream, std::less<>> datasets_;
};

}  // namespace dca::golden
