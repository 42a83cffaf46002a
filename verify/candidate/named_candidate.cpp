#include "verify/candidate/named_candidate.hpp"

#include <algorithm>
#include <array>

#include "golden/regenerate.hpp"
#include "golden/text.hpp"
#include "verify/candidate/chunk_summary_names.hpp"

namespace dca::verify {
namespace {

constexpr std::array<std::string_view, 5> output_names{"out", "lse", "dq", "dk", "dv"};
/// Of an input, compared at a time.
constexpr std::size_t piece_elements = std::size_t{1} << 16;
constexpr std::array<std::string_view, 6> input_names{"q", "k", "v", "dout", "cu_seqlens", "inv_freq"};

template <class Names>
bool contains(const Names& names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

/// The shape a tensor has in a file: packed problems drop the batch axis.
template <std::size_t Rank>
std::vector<std::int64_t> stored_extents(const std::array<std::int64_t, Rank>& extents, bool packed) {
    return {extents.begin() + (packed ? 1 : 0), extents.end()};
}

/// Reads the tensors of one case and puts file, case and dataset in front of every complaint.
class CaseReader {
public:
    CaseReader(const TensorSource& source, const std::map<TensorName, std::string>& tensors, std::string case_id,
               const golden::CaseData& golden)
        : source_(source), tensors_(tensors), case_id_(std::move(case_id)), golden_(golden) {}

    template <std::size_t Rank>
    std::optional<Tensor<double, static_cast<int>(Rank)>> output(const std::string& tensor,
                                                                 const std::array<std::int64_t, Rank>& extents) const {
        std::optional<Tensor<double, static_cast<int>(Rank)>> result;
        with(true, tensor, [&](const std::string& name) {
            require_shape(name, stored_extents(extents, golden_.problem.packed()), true);
            result.emplace(extents);
            read_whole(name, result->values());
        });
        return result;
    }

    /// Where the candidate carries this input it must be the golden's, value by value. open: of the golden's; null if
    /// it has none.
    void same_input(const std::string& tensor, const CandidateFile::OpenInput& open) const {
        with(false, tensor, [&](const std::string& name) {
            const std::unique_ptr<golden::TensorReader> wanted = open(tensor);
            if (!wanted) throw FormatError("the golden has no such input: the candidate ran other inputs");
            require_shape(name, wanted->extents(), true);
            const std::unique_ptr<golden::TensorReader> found = source_.open(name);
            std::vector<double> expected, values;
            while (found->left() > 0) {
                const std::int64_t first = found->count() - found->left();
                expected.resize(std::min(piece_elements, static_cast<std::size_t>(found->left())));
                values.resize(expected.size());
                wanted->read(std::span(expected));
                found->read(std::span(values));
                require_same(values, expected, first);
            }
        });
    }

    /// The same for cu_seqlens (integers) and inv_freq. Empty: the golden has none.
    template <class T>
    void same_list(const std::string& tensor, const std::vector<T>& expected, bool floating) const {
        with(false, tensor, [&](const std::string& name) {
            if (expected.empty()) throw FormatError("the golden has no such input: the candidate ran other inputs");
            require_shape(name, {static_cast<std::int64_t>(expected.size())}, floating);
            std::vector<double> values(expected.size());
            floating ? read_whole(name, values) : source_.read_integers(name, values);
            require_same(values, std::vector<double>(expected.begin(), expected.end()), 0);
        });
    }

    /// The values of an output, whose extents must be one of these; null if the file has none.
    [[nodiscard]] std::unique_ptr<golden::TensorReader> open(
        const std::string& tensor, const std::vector<std::int64_t>& whole,
        const std::optional<std::vector<std::int64_t>>& samples) const {
        std::unique_ptr<golden::TensorReader> reader;
        with(true, tensor, [&](const std::string& name) {
            const bool some_rows = samples && source_.describe(name).extents == *samples;
            require_shape(name, some_rows ? *samples : whole, true);
            reader = golden::with_location(source_.open(name), location(true, tensor));
        });
        return reader;
    }

    /// Values of a chunk-summary output; empty if the file has none.
    [[nodiscard]] std::vector<double> values(const std::string& tensor,
                                             const std::vector<std::int64_t>& extents) const {
        std::vector<double> result;
        with(true, tensor, [&](const std::string& name) {
            require_shape(name, extents, true);
            result.resize(static_cast<std::size_t>(chunk_summary::element_count(extents)));
            read_whole(name, result);
        });
        return result;
    }

    /// The names of both algorithms are read; those of the other one are errors where a case is judged.
    void require_tensors(bool (*belongs)(const TensorName&, const golden::CaseData&)) const {
        for (const auto& [tensor, name] : tensors_) {
            if (tensor.case_id != case_id_ || belongs(tensor, golden_)) continue;
            throw FormatError(location(tensor.output, tensor.tensor) + "the golden's problem has no such tensor");
        }
    }

    void check_problem() const {
        try {
            source_.check_problem(case_id_, golden_);
        } catch (const FormatError& error) {
            throw FormatError(source_.path().string() + ": case " + golden_.id + ": " + error.what());
        }
    }

private:
    /// "file: case: dataset: "
    [[nodiscard]] std::string location(bool output, const std::string& tensor) const {
        return source_.path().string() + ": case " + golden_.id + ": " + (output ? "outputs/" : "inputs/") + tensor +
               ": ";
    }

    static void require_same(std::span<const double> values, std::span<const double> expected, std::int64_t first) {
        const auto differs = std::mismatch(values.begin(), values.end(), expected.begin());
        if (differs.first == values.end()) return;
        throw FormatError("differs from the golden's at flat index " +
                          std::to_string(first + (differs.first - values.begin())) +
                          ": the candidate ran other inputs");
    }

    void read_whole(const std::string& name, std::span<double> values) const {
        const std::unique_ptr<golden::TensorReader> reader = source_.open(name);
        expects(static_cast<std::size_t>(reader->count()) == values.size(), "read_whole: wrong size");
        reader->read(values);
    }

    template <class Action>
    void with(bool output, const std::string& tensor, const Action& action) const {
        const auto found = tensors_.find(TensorName{case_id_, output, tensor});
        if (found == tensors_.end()) return;
        try {
            action(found->second);
        } catch (const FormatError& error) {
            throw FormatError(location(output, tensor) + error.what());
        }
    }

    void require_shape(const std::string& name, const std::vector<std::int64_t>& extents, bool floating) const {
        const TensorInfo info = source_.describe(name);
        if (info.floating != floating) {
            throw FormatError(floating ? "holds integers, a float type is expected" : "must hold integers");
        }
        if (info.extents != extents) {
            throw FormatError("has shape " + golden::shape_text(info.extents) + ", the golden's problem has " +
                              golden::shape_text(extents));
        }
    }

    const TensorSource& source_;
    const std::map<TensorName, std::string>& tensors_;
    std::string case_id_;
    const golden::CaseData& golden_;
};

}  // namespace

TensorName parse_tensor_name(std::string_view name) {
    std::vector<std::string> parts;
    for (std::size_t begin = 0; begin <= name.size();) {
        const std::size_t end = std::min(name.find('/', begin), name.size());
        parts.emplace_back(name.substr(begin, end - begin));
        begin = end + 1;
    }
    TensorName parsed{{}, true, parts.back()};
    parts.pop_back();
    if (!parts.empty() && (parts.back() == "outputs" || parts.back() == "inputs")) {
        parsed.output = parts.back() == "outputs";
        parts.pop_back();
    }
    if (parts.size() == 1 && golden::is_case_id(parts.front())) {
        parsed.case_id = parts.front();
        parts.pop_back();
    }
    const bool known = (parsed.output ? contains(output_names, parsed.tensor) : contains(input_names, parsed.tensor)) ||
                       is_chunk_summary_tensor(parsed.output, parsed.tensor);
    if (!parts.empty() || !known) {
        throw FormatError(
            "tensor name '" + golden::printable(name) +
            "' is not <case>/outputs/<tensor>, <case>/<tensor> or <tensor> with <tensor> one of out, lse, "
            "dq, dk, dv");
    }
    return parsed;
}

NamedCandidate::NamedCandidate(std::unique_ptr<TensorSource> source) : source_(std::move(source)) {
    try {
        for (const std::string& name : source_->names()) {
            const auto [at, added] = tensors_.emplace(parse_tensor_name(name), name);
            if (!added)
                throw FormatError("tensors '" + golden::printable(at->second) + "' and '" + golden::printable(name) +
                                  "' are the same");
        }
    } catch (const FormatError& error) {
        throw FormatError(source_->path().string() + ": " + error.what());
    }
    const std::vector<std::string> ids = case_ids();
    if (ids.size() > 1 && ids.front().empty()) {
        throw FormatError(source_->path().string() + ": has tensors with and without a case id");
    }
}

std::vector<std::string> NamedCandidate::case_ids() const {
    std::vector<std::string> ids;
    for (const auto& [tensor, name] : tensors_) {
        if (ids.empty() || ids.back() != tensor.case_id) ids.push_back(tensor.case_id);
    }
    return ids;
}

std::string NamedCandidate::id_in_file(const golden::CaseData& golden) const {
    const std::vector<std::string> ids = case_ids();
    const bool bare = ids.size() == 1 && ids.front().empty();
    return bare ? std::string() : golden.id;
}

golden::ChunkSummaryResults NamedCandidate::read_chunk_summary(const golden::CaseData& golden) const {
    const golden::ChunkSummaryData& of = *golden.chunk_summary;
    const CaseReader reader(*source_, tensors_, id_in_file(golden), golden);
    reader.require_tensors([](const TensorName& name, const golden::CaseData& data) {
        return is_chunk_summary_tensor(name.output, name.tensor, data.chunk_summary->problem);
    });
    reader.check_problem();
    golden::ChunkSummaryResults results;
    const auto same = [&](const std::string& name, const chunk_summary::Sizes& extents,
                          const std::vector<double>& expected) {
        reader.same_input(name, [&](const std::string&) {
            return expected.empty() ? nullptr : golden::in_memory(extents, expected);
        });
    };
    results.out = reader.values("out", out_extents(of.problem));
    same("dout", out_extents(of.problem), of.inputs.dout);
    for (const chunk_summary::TensorId id : chunk_summary::all_tensors) {
        if (!has(of.problem, id)) continue;
        const chunk_summary::Sizes sizes = extents(of.problem, id);
        same(std::string(name(id)), sizes, of.inputs.tensors[id]);
        results.gradients[id] = reader.values(gradient_name(id), sizes);
    }
    return results;
}

golden::Results NamedCandidate::read(const golden::CaseData& golden) const {
    const Inputs& in = golden.inputs;
    check(golden, [&](const std::string& tensor) -> std::unique_ptr<golden::TensorReader> {
        if (golden.regenerates) return golden::made_input(*golden.regenerates, tensor);
        if (tensor == "dout" && !in.dout) return nullptr;
        const Tensor4& input = tensor == "q" ? in.q : tensor == "k" ? in.k : tensor == "v" ? in.v : *in.dout;
        return golden::in_memory(stored_extents(input.extents(), golden.problem.packed()), input.values());
    });
    const Shape& shape = golden.problem.shape;
    const CaseReader reader(*source_, tensors_, id_in_file(golden), golden);
    golden::Results results;
    results.out = reader.output("out", out_extents(shape));
    results.lse = reader.output("lse", lse_extents(shape));
    results.dq = reader.output("dq", q_extents(shape));
    results.dk = reader.output("dk", k_extents(shape));
    results.dv = reader.output("dv", v_extents(shape));
    return results;
}

void NamedCandidate::check(const golden::CaseData& head, const OpenInput& golden_input) const {
    const CaseReader reader(*source_, tensors_, id_in_file(head), head);
    reader.require_tensors([](const TensorName& name, const golden::CaseData&) {
        return name.output ? contains(output_names, name.tensor) : contains(input_names, name.tensor);
    });
    reader.check_problem();
    for (const char* tensor : {"q", "k", "v", "dout"}) reader.same_input(tensor, golden_input);
    reader.same_list("cu_seqlens", head.problem.cu_seqlens, false);
    reader.same_list("inv_freq", head.problem.rope.inv_freq, true);
}

std::unique_ptr<golden::TensorReader> NamedCandidate::open(const golden::CaseData& head,
                                                           const std::string& tensor) const {
    const auto of = [&](const Shape& shape) {
        const bool packed = head.problem.packed();
        if (tensor == "out") return stored_extents(out_extents(shape), packed);
        if (tensor == "lse") return stored_extents(lse_extents(shape), packed);
        if (tensor == "dq") return stored_extents(q_extents(shape), packed);
        return stored_extents(tensor == "dk" ? k_extents(shape) : v_extents(shape), packed);
    };
    Shape samples = head.problem.shape;
    samples.seq_q = static_cast<std::int64_t>(head.sample_rows.size());
    const bool sampled = !head.sample_rows.empty();
    const CaseReader reader(*source_, tensors_, id_in_file(head), head);
    return reader.open(tensor, of(head.problem.shape), sampled ? std::optional(of(samples)) : std::nullopt);
}

}  // namespace dca::verify
