#include "verify/run/peer_candidate.hpp"

#include <fnmatch.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "verify/peer/peer.hpp"
#include "verify/run/results.hpp"

namespace dca::verify {
namespace {

/// The case with the peer's results in place of any others, and the attributes that stay true of it.
golden::CaseData computed(golden::CaseData data) {
    data.results = results_of(peer::run_peer(data.problem, data.inputs));
    data.judge.reset();
    data.certificates.clear();
    data.provenance.clear();
    return data;
}

}  // namespace

PeerCounts write_peer(const std::filesystem::path& source, const std::filesystem::path& target,
                      const std::string& case_glob, const Progress& progress) {
    const golden::FileReader reader(source);
    std::vector<std::string> ids;
    std::copy_if(reader.case_ids().begin(), reader.case_ids().end(), std::back_inserter(ids),
                 [&](const std::string& id) { return fnmatch(case_glob.c_str(), id.c_str(), 0) == 0; });
    if (ids.empty()) throw InvalidProblem(source.string() + ": no case matches '" + case_glob + "'");

    golden::FileWriter writer(target);
    PeerCounts counts;
    for (std::size_t done = 0; done < ids.size(); ++done) {
        if (progress) progress(ids[done], done, ids.size());
        golden::CaseData data = reader.read(ids[done]);
        try {
            if (data.chunk_summary) throw Unsupported("peer: it computes no chunk summaries");
            writer.write(computed(std::move(data)));
            ++counts.written;
        } catch (const Unsupported& error) {
            counts.left_out.push_back("case " + ids[done] + ": " + error.what());
        }
    }
    if (counts.written == 0) throw Unsupported(source.string() + ": " + counts.left_out.front());
    if (progress) progress("", ids.size(), ids.size());
    writer.commit();
    return counts;
}

}  // namespace dca::verify
