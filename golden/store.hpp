// Reading and writing tensor files (docs/golden_format.md). Files are untrusted: every size is checked before memory is
// asked for, and every error names file, case and dataset.
#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "golden/case_spec.hpp"
#include "golden/tensor_reader.hpp"
#include "reference/spec/bundles.hpp"

namespace dca::golden {

/// Value of a provenance or dialect_* attribute, kept as it was found.
using AttributeValue = std::variant<std::int64_t, double, std::string, std::vector<std::int64_t>, std::vector<double>>;
using Attributes = std::map<std::string, AttributeValue>;

/// Expected (or recorded) results; absent tensors were not in the file.
struct Results {
    std::optional<Tensor4> out;
    std::optional<Tensor3> lse;
    std::optional<Tensor4> dq, dk, dv;
};

/// How far the expected values of one tensor can be from the exact ones.
struct Certificate {
    double error_radius = std::numeric_limits<double>::infinity();  ///< |expected - exact| <= error_radius for every
                                                                    ///< element; infinite: nothing is known
    bool proven = false;  ///< by analysis and interval arithmetic; false: measured (docs/error_model.md says how)
    bool correctly_rounded = false;  ///< every element is proven to be the double nearest to the exact value
    friend bool operator==(const Certificate&, const Certificate&) = default;
};
/// By tensor: out, lse, dq, dk, dv; of a chunk-summary case the names of its expected tensors.
using Certificates = std::map<std::string, Certificate, std::less<>>;

/// What the judge needs beyond the expected values.
struct JudgeData {
    ErrorScales scales;
    RowRegions regions;
    int error_model_version = 0;
};

/// One case of a file. A file with inputs only has neither results nor judge data; a golden file has all three.
struct CaseData {
    std::string id;
    Problem problem;
    Inputs inputs;
    Results results;
    Certificates certificates;  ///< of results that this project computed
    std::optional<JudgeData> judge;
    /// Largest magnitude of each stored input, "q": of a case read by read_head, whose inputs is empty.
    std::map<std::string, double, std::less<>> largest_inputs;
    /// Set: the inputs are not stored (inputs is empty); they are those of this case, which InputSource makes.
    std::optional<CaseSpec> regenerates;
    /// Not empty: out, lse, dq and their scales hold these query rows alone (regenerates is set; sample_rows.hpp).
    std::vector<std::int64_t> sample_rows;
    /// Set: another algorithm (docs/chunk_summary.md); of problem only the dtype is meant then, inputs, results and
    /// judge are empty.
    std::optional<ChunkSummaryData> chunk_summary;
    Attributes dialect_facts;  ///< dialect_* attributes that no dialect uses (problem.facts holds the others)
    Attributes provenance;     ///< source, stub, seed, gradient, note, case_text, kills, measured_*,
                               ///< expected_*
};

/// An open tensor file.
class FileReader {
public:
    /// Throws IoError (cannot open) or FormatError (not HDF5, not this schema, unknown version).
    explicit FileReader(const std::filesystem::path& path);
    ~FileReader();
    FileReader(FileReader&&) noexcept;
    FileReader& operator=(FileReader&&) noexcept;

    /// Case ids in lexical order.
    [[nodiscard]] const std::vector<std::string>& case_ids() const;
    /// Reads one case whole and checks it: attributes, shapes, dtypes, checksums, finiteness of the inputs. The problem
    /// passes validate(). Throws FormatError.
    [[nodiscard]] CaseData read(const std::string& case_id) const;
    /// The same in constant memory: inputs are checked and not kept, results and scales left alone. A chunk-summary
    /// case is read whole.
    [[nodiscard]] CaseData read_head(const std::string& case_id) const;
    /// A tensor of a case that read_head has accepted, "outputs/dk" or "judge/sigma_dk"; null if it is not there.
    [[nodiscard]] std::unique_ptr<TensorReader> open(const std::string& case_id, const std::string& path) const;
    [[nodiscard]] const std::filesystem::path& path() const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// A case that is being written tensor by tensor and piece by piece, in constant memory (FileWriter::begin).
class CaseStream {
public:
    CaseStream(CaseStream&&) noexcept;
    CaseStream& operator=(CaseStream&&) noexcept;
    ~CaseStream();

    /// The next elements, in row-major order, of the dataset `path` ("inputs/k", "judge/sigma_dv"); datasets may take
    /// turns. Converted to the type the dataset is stored in; inputs must be exact in it.
    void append(std::string_view path, std::span<const double> values);
    void append(std::string_view path, std::span<const float> values);
    /// Precondition: every dataset is full. Writes checksums, and the certificates of the results.
    void finish(const Certificates& certificates = {});

private:
    friend class FileWriter;
    struct Impl;
    explicit CaseStream(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

/// Writes a tensor file under a temporary name in the same folder; commit() renames it. Destroyed without commit, the
/// temporary file is removed and the target is untouched. Equal content gives equal bytes.
class FileWriter {
public:
    explicit FileWriter(const std::filesystem::path& path);
    ~FileWriter();
    FileWriter(FileWriter&&) noexcept;
    FileWriter& operator=(FileWriter&&) noexcept;

    void write(const CaseData& data);
    /// Begins a case whose tensors are appended: creates the datasets of `tensors`, paths of the schema in its order,
    /// with the extents of the problem. Of `head`, attributes, lists and judge regions are written; its tensors are not
    /// looked at. The bytes do not depend on how the elements are cut into pieces: they are those of write(). The
    /// stream must be finished before the next case is begun, and not outlive the writer.
    [[nodiscard]] CaseStream begin(const CaseData& head, const std::vector<std::string>& tensors);
    /// Flushes, closes and renames. Throws IoError (full disk, ...).
    void commit();

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace dca::golden
