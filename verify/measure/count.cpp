#include "verify/measure/count.hpp"

#include <algorithm>

#include "verify/measure/score_elements.hpp"
#include "verify/measure/subject.hpp"

namespace dca::measure {
namespace {

bool counted(const Contender& contender) {
    const std::vector<SubjectInfo>& all = subjects();
    const auto found =
        std::find_if(all.begin(), all.end(), [&](const SubjectInfo& one) { return one.name == contender.candidate; });
    return !contender.command.empty() || found == all.end() || found->causal;
}

}  // namespace

void count_work(const Contender& contender, Point& point) {
    if (!counted(contender)) return;
    const Setting& setting = contender.setting;
    // Plain attention is one chunk of everything.
    const bool plain = contender.command.empty() && contender.candidate == "plain_causal";
    point.elements = score_elements(point.n, plain ? point.n : point.chunk_size - point.local_size);
    const double pairs =
        static_cast<double>(setting.batch * setting.heads_q) * static_cast<double>(point.elements.total());
    const auto d = static_cast<double>(setting.head_dim), dv = static_cast<double>(setting.head_dim_v);
    point.flops = pairs * (2 * d + 2 * dv);
    if (setting.pass == Pass::backward) point.flops += pairs * (6 * d + 4 * dv);
}

}  // namespace dca::measure
