#include "verify/diagnose/scene.hpp"

#include <algorithm>
#include <set>

namespace dca::verify {
namespace {

/// Beyond so many elements of q one kv group is cut out.
constexpr std::int64_t small_case = std::int64_t{1} << 20;
/// Elements of q of one kv group: half a GiB for each of its tensors.
constexpr std::int64_t largest_group = std::int64_t{1} << 26;

struct Group {
    std::int64_t batch, kv_head;
};

bool of_keys(std::string_view tensor) {
    return tensor == "dk" || tensor == "dv";
}

/// Heads of a tensor that belong to a kv head: [first, first + count).
std::pair<std::int64_t, std::int64_t> heads_of(const Shape& s, std::string_view tensor, std::int64_t kv_head) {
    const std::int64_t group = s.heads_q / s.heads_kv;
    return of_keys(tensor) ? std::pair(kv_head, std::int64_t{1}) : std::pair(kv_head * group, group);
}

/// Rows of the query axis or the key axis on which some tensor of the group fails, ascending.
std::vector<std::int64_t> failing_rows(const golden::CaseData& golden, const golden::Results& candidate,
                                       const Group& group, bool keys) {
    std::set<std::int64_t> failing;
    for (const std::string_view tensor : tensor_names) {
        if (of_keys(tensor) != keys) continue;
        const Rows expected(golden.results, tensor), got(candidate, tensor);
        const ScaleRows sigma(golden.judge->scales, tensor);
        if (!expected || !got || !sigma) continue;
        const auto [first, count] = heads_of(golden.problem.shape, tensor, group.kv_head);
        for (std::int64_t i = 0; i < expected.rows(); ++i) {
            for (std::int64_t h = first; h < first + count; ++h) {
                const RowRef at{group.batch, i, h};
                if (row_fails(tensor, expected.at(at), got.at(at), sigma.at(at))) failing.insert(i);
            }
        }
    }
    return {failing.begin(), failing.end()};
}

std::vector<std::int64_t> spread(const std::vector<std::int64_t>& rows, std::size_t most) {
    if (rows.size() <= most) return rows;
    std::vector<std::int64_t> chosen;
    for (std::size_t n = 0; n < most; ++n)
        chosen.push_back(rows[n * (rows.size() - 1) / std::max<std::size_t>(1, most - 1)]);
    chosen.erase(std::unique(chosen.begin(), chosen.end()), chosen.end());
    return chosen;
}

/// Failing rows, evenly from first to last, and right ones: a mistake must leave those as they are.
std::vector<std::int64_t> chosen_rows(const std::vector<std::int64_t>& failing, std::int64_t count,
                                      const RowLimits& limits) {
    std::vector<std::int64_t> right;
    if (static_cast<std::size_t>(count) <= limits.all) {
        for (std::int64_t i = 0; i < count; ++i) right.push_back(i);
        return right;
    }
    for (std::int64_t i = 0; i < count; ++i) {
        if (!std::binary_search(failing.begin(), failing.end(), i)) right.push_back(i);
    }
    std::vector<std::int64_t> chosen = spread(failing, limits.failing);
    for (const std::int64_t i : spread(right, limits.right)) chosen.push_back(i);
    std::sort(chosen.begin(), chosen.end());
    return chosen;
}

template <class T, int Rank>
Tensor<T, Rank> cut(const Tensor<T, Rank>& from, std::int64_t batch, std::int64_t first, std::int64_t count) {
    Extents<Rank> extents = from.extents();
    extents[0] = 1;
    extents[Rank == 4 ? 2 : 1] = count;
    Tensor<T, Rank> to(extents);
    if constexpr (Rank == 4) {
        for (std::int64_t i = 0; i < extents[1]; ++i) {
            const T* row = &from(batch, i, first, 0);
            std::copy(row, row + count * extents[3], &to(0, i, 0, 0));
        }
    } else {
        for (std::int64_t h = 0; h < count; ++h) {
            const T* row = &from(batch, first + h, 0);
            std::copy(row, row + extents[2], &to(0, h, 0));
        }
    }
    return to;
}

template <class T, int Rank>
std::optional<Tensor<T, Rank>> cut(const std::optional<Tensor<T, Rank>>& from, std::int64_t batch, std::int64_t first,
                                   std::int64_t count) {
    return from ? std::optional(cut(*from, batch, first, count)) : std::nullopt;
}

golden::Results cut(const golden::Results& all, const Shape& s, const Group& group) {
    const auto [q, heads] = heads_of(s, "out", group.kv_head);
    return {cut(all.out, group.batch, q, heads), cut(all.lse, group.batch, q, heads),
            cut(all.dq, group.batch, q, heads), cut(all.dk, group.batch, group.kv_head, 1),
            cut(all.dv, group.batch, group.kv_head, 1)};
}

golden::CaseData cut(const golden::CaseData& all, const Group& group, bool gradients) {
    const Shape& s = all.problem.shape;
    const auto [q, heads] = heads_of(s, "out", group.kv_head);
    golden::CaseData one;
    one.id = all.id;
    one.problem = all.problem;
    one.problem.shape.batch = one.problem.shape.heads_kv = 1;
    one.problem.shape.heads_q = heads;
    one.inputs.q = cut(all.inputs.q, group.batch, q, heads);
    one.inputs.k = cut(all.inputs.k, group.batch, group.kv_head, 1);
    one.inputs.v = cut(all.inputs.v, group.batch, group.kv_head, 1);
    if (gradients) one.inputs.dout = cut(all.inputs.dout, group.batch, q, heads);
    one.results = cut(all.results, s, group);
    const ErrorScales& scales = all.judge->scales;
    one.judge.emplace();
    one.judge->scales = {cut(scales.out, group.batch, q, heads), cut(scales.lse, group.batch, q, heads),
                         cut(scales.dq, group.batch, q, heads), cut(scales.dk, group.batch, group.kv_head, 1),
                         cut(scales.dv, group.batch, group.kv_head, 1)};
    one.judge->regions = all.judge->regions;
    return one;
}

}  // namespace

std::optional<Scene> make_scene(const golden::CaseData& golden, const golden::Results& candidate, bool gradients,
                                const RowLimits& limits, Which which) {
    const Shape& s = golden.problem.shape;
    struct Counted {
        Group group;
        std::vector<std::int64_t> queries, keys;
        [[nodiscard]] std::size_t failing() const { return queries.size() + keys.size(); }
    };
    std::vector<Counted> groups;
    for (std::int64_t b = 0; b < s.batch; ++b) {
        for (std::int64_t h = 0; h < s.heads_kv; ++h) {
            const Group group{b, h};
            groups.push_back({group, failing_rows(golden, candidate, group, false),
                              gradients ? failing_rows(golden, candidate, group, true) : std::vector<std::int64_t>{}});
        }
    }
    const auto fewer = [](const Counted& a, const Counted& b) { return a.failing() < b.failing(); };
    const auto most = std::max_element(groups.begin(), groups.end(), fewer);
    auto found = most;
    if (which == Which::fewest_failing) {
        if (groups.size() == 1) return std::nullopt;
        std::iter_swap(most, groups.begin());
        found = std::min_element(groups.begin() + 1, groups.end(), fewer);
    }
    Scene scene;
    scene.cut = s.batch * s.seq_q * s.heads_q * s.head_dim > small_case && groups.size() > 1;
    scene.selection = {found->group.batch, found->group.kv_head, chosen_rows(found->queries, s.seq_q, limits),
                       gradients ? chosen_rows(found->keys, s.seq_k, limits) : std::vector<std::int64_t>{}};
    if (s.seq_q * (s.heads_q / s.heads_kv) * s.head_dim > largest_group) return std::nullopt;
    if (scene.cut) {
        scene.golden = std::make_shared<golden::CaseData>(cut(golden, found->group, gradients));
        scene.candidate = std::make_shared<golden::Results>(cut(candidate, s, found->group));
        scene.selection.batch = scene.selection.kv_head = 0;
    } else {
        auto whole = std::make_shared<golden::CaseData>(golden);
        if (!gradients) whole->inputs.dout.reset();
        scene.golden = std::move(whole);
        scene.candidate = std::make_shared<golden::Results>(candidate);
    }
    const Shape& shape = scene.golden->problem.shape;
    for (const std::string_view tensor : tensor_names) {
        const auto [first, count] = heads_of(shape, tensor, scene.selection.kv_head);
        for (const std::int64_t i : of_keys(tensor) ? scene.selection.keys : scene.selection.queries) {
            for (std::int64_t h = first; h < first + count; ++h) {
                scene.rows[std::string(tensor)].push_back({scene.selection.batch, i, h});
            }
        }
    }
    return scene;
}

double Scene::work(bool right) const {
    const Shape& s = golden->problem.shape;
    const auto n = static_cast<double>(s.seq_k), all_queries = static_cast<double>(s.seq_q);
    const auto dims = static_cast<double>(s.head_dim + s.head_dim_v);
    const auto group = static_cast<double>(s.heads_q / s.heads_kv);
    const auto queries = static_cast<double>(selection.queries.size());
    const double gradients = golden->inputs.dout ? 1 : 0;
    // Keys are rotated and copied; a row meets all keys at most, once forward and, with gradients, five products back.
    double work = 8 * n * dims + group * queries * n * dims * ((right ? 0 : 1) + 2.5 * gradients);
    // A key meets all queries, whose forward pass is needed.
    if (!selection.keys.empty()) work += group * all_queries * n * dims * (right ? 0.3 : 0.8);
    return work;
}

Scene Scene::without_keys() const {
    Scene scene = *this;
    scene.selection.keys.clear();
    scene.rows["dk"].clear();
    scene.rows["dv"].clear();
    return scene;
}

}  // namespace dca::verify
