#include "verify/candidate/named_candidate.hpp"

#include <algorithm>
#include <array>

#include "golden/make_inputs.hpp"
#include "golden/regenerate.hpp"
#include "golden/text.hpp"
#include "verify/candidate/chunk_summary_names.hpp"

namespace dca::verify {
namespace {

constexpr std::array<std::string_view, 5> output_names{"out", "lse", "dq", "dk", "dv"};
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
            source_.read(name, result->values());
        });
        return result;
    }

    /// Where the candidate carries this input it must be the golden's, value by value. expected null: the golden has
    /// none.
    template <class T>
    void same_input(const std::string& tensor, const std::vector<std::int64_t>& extents, const T* expected,
                    bool floating) const {
        with(false, tensor, [&](const std::string& name) {
            if (!expected) throw FormatError("the golden has no such input: the candidate ran other inputs");
            require_shape(name, extents, floating);
            std::vector<double> values(expected->size());
            source_.read(name, values);
            const auto differs = std::mismatch(values.begin(), values.end(), expected->begin(),
                                               [](double a, auto b) { return a == static_cast<double>(b); });
            if (differs.first != values.end()) {
                throw FormatError("differs from the golden's at flat index " +
                                  std::to_string(differs.first - values.begin()) + ": the candidate ran other inputs");
            }
        });
    }

    /// The extents of an output, which must be one of these; nothing if the file has none.
    [[nodiscard]] std::optional<std::vector<std::int64_t>> output_extents(
        const std::string& tensor, const std::vector<std::int64_t>& whole,
        const std::optional<std::vector<std::int64_t>>& samples) const {
        std::optional<std::vector<std::int64_t>> found;
        with(true, tensor, [&](const std::string& name) {
            found = source_.describe(name).extents;
            require_shape(name, samples && found == samples ? *samples : whole, true);
        });
        return found;
    }

    void output_pieces(const std::string& tensor, const TensorSource::TakePiece& take) const {
        with(true, tensor, [&](const std::string& name) { source_.read_pieces(name, take); });
    }

    /// same_input for inputs that the golden's case makes, in constant memory.
    void same_made_input(const std::string& tensor, golden::InputTensor which, const golden::InputSource& made) const {
        with(false, tensor, [&](const std::string& name) {
            if (which == golden::InputTensor::dout && !made.spec().recipe.gradient) {
                throw FormatError("the golden has no such input: the candidate ran other inputs");
            }
            const auto made_extents = made.extents(which);
            const std::int64_t rows = made_extents[1];
            require_shape(name, stored_extents(made.extents(which), golden_.problem.packed()), true);
            const std::int64_t width = made_extents[2] * made_extents[3],
                               step = std::max<std::int64_t>(1, (std::int64_t{1} << 16) / width);
            std::vector<double> expected;
            std::size_t at = 0;
            std::int64_t next = 0, flat = 0;  // row of all batch entries, element
            source_.read_pieces(name, [&](std::span<const double> piece) {
                for (const double value : piece) {
                    if (at == expected.size()) {
                        const std::int64_t row = next % rows, count = std::min(step, rows - row);
                        expected.resize(static_cast<std::size_t>(count * width));
                        made.fill_rows(which, next / rows, row, row + count, expected);
                        next += count;
                        at = 0;
                    }
                    if (value != expected[at++]) {
                        throw FormatError("differs from the golden's at flat index " + std::to_string(flat) +
                                          ": the candidate ran other inputs");
                    }
                    ++flat;
                }
            });
        });
    }

    /// Values of a chunk-summary output; empty if the file has none.
    [[nodiscard]] std::vector<double> values(const std::string& tensor,
                                             const std::vector<std::int64_t>& extents) const {
        std::vector<double> result;
        with(true, tensor, [&](const std::string& name) {
            require_shape(name, extents, true);
            result.resize(static_cast<std::size_t>(chunk_summary::element_count(extents)));
            source_.read(name, result);
        });
        return result;
    }

    /// Whether the candidate carries any of q, k, v, dout.
    [[nodiscard]] bool has_inputs() const {
        constexpr std::array<std::string_view, 4> names{"q", "k", "v", "dout"};
        return std::any_of(tensors_.begin(), tensors_.end(), [&](const auto& entry) {
            return entry.first.case_id == case_id_ && !entry.first.output && contains(names, entry.first.tensor);
        });
    }

    /// The names of both algorithms are read; those of the other one are errors where a case is judged.
    void require_tensors(bool (*belongs)(const TensorName&, const golden::CaseData&)) const {
        for (const auto& [tensor, name] : tensors_) {
            if (tensor.case_id != case_id_ || belongs(tensor, golden_)) continue;
            throw FormatError(source_.path().string() + ": case " + golden_.id + ": " +
                              (tensor.output ? "outputs/" : "inputs/") + tensor.tensor +
                              ": the golden's problem has no such tensor");
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
    template <class Action>
    void with(bool output, const std::string& tensor, const Action& action) const {
        const auto found = tensors_.find(TensorName{case_id_, output, tensor});
        if (found == tensors_.end()) return;
        try {
            action(found->second);
        } catch (const FormatError& error) {
            throw FormatError(source_.path().string() + ": case " + golden_.id + ": " +
                              (output ? "outputs/" : "inputs/") + tensor + ": " + error.what());
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
        reader.same_input(name, extents, expected.empty() ? nullptr : &expected, true);
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
    const Problem& problem = golden.problem;
    const Shape& shape = problem.shape;
    const CaseReader reader(*source_, tensors_, id_in_file(golden), golden);

    reader.require_tensors([](const TensorName& name, const golden::CaseData&) {
        return name.output ? contains(output_names, name.tensor) : contains(input_names, name.tensor);
    });
    reader.check_problem();
    golden::CaseData with_inputs;  // what the candidate says it ran on must be what the golden stands for
    with_inputs.regenerates = golden.regenerates;
    if (golden.regenerates && reader.has_inputs()) golden::load_inputs(with_inputs);
    const Inputs& inputs = golden.regenerates ? with_inputs.inputs : golden.inputs;
    const auto same = [&](const char* tensor, const Tensor4* expected) {
        const std::vector<std::int64_t> extents =
            expected ? stored_extents(expected->extents(), problem.packed()) : std::vector<std::int64_t>{};
        const auto values = expected ? expected->values() : std::span<const double>{};
        reader.same_input(tensor, extents, expected ? &values : nullptr, true);
    };
    same("q", &inputs.q);
    same("k", &inputs.k);
    same("v", &inputs.v);
    same("dout", inputs.dout ? &*inputs.dout : nullptr);
    const auto same_list = [&](const char* tensor, const auto& list, bool floating) {
        reader.same_input(tensor, {static_cast<std::int64_t>(list.size())}, list.empty() ? nullptr : &list, floating);
    };
    same_list("cu_seqlens", problem.cu_seqlens, false);
    same_list("inv_freq", problem.rope.inv_freq, true);

    golden::Results results;
    results.out = reader.output("out", out_extents(shape));
    results.lse = reader.output("lse", lse_extents(shape));
    results.dq = reader.output("dq", q_extents(shape));
    results.dk = reader.output("dk", k_extents(shape));
    results.dv = reader.output("dv", v_extents(shape));
    return results;
}

void NamedCandidate::check(const golden::CaseData& head) const {
    const CaseReader reader(*source_, tensors_, id_in_file(head), head);
    reader.require_tensors([](const TensorName& name, const golden::CaseData&) {
        return name.output ? contains(output_names, name.tensor) : contains(input_names, name.tensor);
    });
    reader.check_problem();
    const golden::InputSource made(*head.regenerates);
    reader.same_made_input("q", golden::InputTensor::q, made);
    reader.same_made_input("k", golden::InputTensor::k, made);
    reader.same_made_input("v", golden::InputTensor::v, made);
    reader.same_made_input("dout", golden::InputTensor::dout, made);
    const auto same_list = [&](const char* tensor, const auto& list, bool floating) {
        reader.same_input(tensor, {static_cast<std::int64_t>(list.size())}, list.empty() ? nullptr : &list, floating);
    };
    same_list("cu_seqlens", head.problem.cu_seqlens, false);
    same_list("inv_freq", head.problem.rope.inv_freq, true);
}

std::optional<std::vector<std::int64_t>> NamedCandidate::output_extents(const golden::CaseData& head,
                                                                        const std::string& tensor) const {
    const CaseReader reader(*source_, tensors_, id_in_file(head), head);
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
    return reader.output_extents(tensor, of(head.problem.shape), sampled ? std::optional(of(samples)) : std::nullopt);
}

void NamedCandidate::read_pieces(const golden::CaseData& head, const std::string& tensor,
                                 const std::function<void(std::span<const double>)>& take) const {
    CaseReader(*source_, tensors_, id_in_file(head), head).output_pieces(tensor, take);
}

}  // namespace dca::verify
