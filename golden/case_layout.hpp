// The datasets of one case group: which there are, whether their headers are sound, and whether their shapes fit
// together.
#pragma once

#include <map>
#include <string>

#include "golden/case_reader.hpp"
#include "golden/h5_dataset.hpp"
#include "golden/schema.hpp"

namespace dca::golden {

class CaseLayout {
public:
    /// Lists the group, opens every dataset, compares shapes. Objects that are not in the schema are errors. Where the
    /// inputs are not stored, shapes are held against those of `known`, if the case is known.
    CaseLayout(const h5::File& file, const h5::Node& case_group, std::string where, bool inputs_stored,
               const CaseSpec* known, const Report& report);

    [[nodiscard]] bool has_group(std::string_view name) const;
    /// A dataset whose header and shape are sound; nullptr if absent or faulty.
    [[nodiscard]] const h5::Dataset* find(std::string_view path) const;
    [[nodiscard]] bool packed() const { return packed_; }
    /// The sizes that inputs agree on; 1 where no sound dataset tells.
    [[nodiscard]] Shape shape() const;
    /// Reports every dataset that its group needs and that is not there.
    void require_complete() const;

private:
    void open_group(const h5::Node& group);
    void open_dataset(const h5::Node& group, const h5::Node& child);
    void check_group_attributes(const h5::Node& group) const;
    void decide_packed();
    void take_sizes(const CaseSpec& known);
    void unify_shapes();
    [[nodiscard]] bool unify(const DatasetRule& rule, const h5::Dataset& dataset);
    [[nodiscard]] Axis canonical(Axis axis) const;
    [[nodiscard]] std::string expected_shape(const DatasetRule& rule) const;
    void error(const std::string& what, const std::string& message) const;

    const h5::File& file_;
    std::string where_, case_name_;
    bool inputs_stored_;
    const Report& report_;
    std::vector<std::string> groups_;
    std::map<std::string, h5::Dataset, std::less<>> datasets_;
    std::vector<std::string> present_;    ///< paths of the schema that exist, sound or not
    std::map<Axis, std::int64_t> sizes_;  ///< extents known so far
    bool packed_ = false, sampled_ = false;
};

}  // namespace dca::golden
