#include "verify/compare/tensor_pass.hpp"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <map>
#include <mutex>
#include <system_error>
#include <thread>

namespace dca::verify {
namespace {

/// Elements whose sums are added up in one run, then to those before. Fixed, as the last bits of the sums depend on it.
constexpr std::int64_t block_elements = std::int64_t{1} << 18;
constexpr unsigned most_threads = 8;

std::int64_t rows_of(std::int64_t elements, const RowJudge& judge) {
    const std::int64_t alignment = judge.cut_alignment();
    const std::int64_t rows = std::max<std::int64_t>(1, elements / judge.channels());
    return (rows + alignment - 1) / alignment * alignment;
}

class Pass {
public:
    Pass(const RowJudge& judge, PassSource& source, const PassSettings& settings)
        : judge_(judge),
          source_(source),
          block_rows_(rows_of(block_elements, judge)),
          piece_rows_(std::min(block_rows_, rows_of(settings.piece_elements, judge))),
          blocks_((judge.count() + block_rows_ - 1) / block_rows_),
          total_(judge.new_tally()) {}

    Tally run(unsigned threads) {
        std::vector<std::thread> others;
        try {
            for (unsigned i = 1; i < threads; ++i) others.emplace_back([this] { work(); });
        } catch (const std::system_error&) {
            // As many as the system grants: those that are there do the work.
        }
        work();
        for (std::thread& other : others) other.join();
        if (fault_) std::rethrow_exception(fault_);
        return std::move(total_);
    }

    [[nodiscard]] std::int64_t blocks() const { return blocks_; }

private:
    /// A block that waits for its turn.
    struct Finished {
        Tally tally;
        std::vector<PassSource::Read> read;
        std::exception_ptr fault;
    };

    void work() {
        PassSource::Buffers buffers;
        for (std::int64_t block = take(); block < blocks_; block = take()) {
            Finished finished{judge_.new_tally(), {}, nullptr};
            try {
                judge_block(block, finished.tally, buffers, finished.read);
            } catch (...) {
                finished.fault = std::current_exception();
            }
            if (!join(block, std::move(finished))) return;
        }
    }

    std::int64_t take() {
        const std::lock_guard lock(mutex_);
        return next_++;
    }

    void judge_block(std::int64_t block, Tally& tally, PassSource::Buffers& buffers,
                     std::vector<PassSource::Read>& read) {
        const std::int64_t end = std::min(judge_.count(), (block + 1) * block_rows_);
        for (std::int64_t row = block * block_rows_; row < end; row += piece_rows_) {
            const std::int64_t rows = std::min(piece_rows_, end - row), channels = judge_.channels();
            const PassSource::Piece piece = source_.get(row * channels, rows * channels, buffers);
            judge_.judge(row, piece.expected, piece.got, piece.sigma, tally);
            read.push_back(piece.read);
        }
        tally.count_octaves();
    }

    /// Hands in a block; those whose turn has come are added. A thread may be some blocks ahead of a slower one. False:
    /// there was a fault, and there is no more to do.
    bool join(std::int64_t block, Finished finished) {
        constexpr std::int64_t most_ahead = 16;
        std::unique_lock lock(mutex_);
        turn_.wait(lock, [&] { return block < joined_ + most_ahead || fault_; });
        finished_.emplace(block, std::move(finished));
        try {
            for (auto next = finished_.begin(); !fault_ && next != finished_.end() && next->first == joined_;
                 next = finished_.erase(next)) {
                if (next->second.fault) std::rethrow_exception(next->second.fault);
                for (const PassSource::Read& one : next->second.read) source_.accept(one);
                total_.add(next->second.tally);
                ++joined_;
            }
        } catch (...) {
            fault_ = std::current_exception();
        }
        turn_.notify_all();
        return !fault_;
    }

    const RowJudge& judge_;
    PassSource& source_;
    std::int64_t block_rows_, piece_rows_, blocks_;
    Tally total_;
    std::mutex mutex_;
    std::condition_variable turn_;
    std::int64_t next_ = 0, joined_ = 0;
    std::map<std::int64_t, Finished> finished_;
    std::exception_ptr fault_;
};

}  // namespace

Tally judge_all(const RowJudge& judge, PassSource& source, const PassSettings& settings) {
    if (judge.count() == 0 || judge.channels() == 0) return judge.new_tally();
    Pass pass(judge, source, settings);
    const unsigned granted =
        settings.threads > 0 ? settings.threads : std::max(1u, std::thread::hardware_concurrency());
    const auto useful = static_cast<unsigned>(std::min<std::int64_t>(pass.blocks(), most_threads));
    return pass.run(source.in_any_order() ? std::min(granted, useful) : 1);
}

}  // namespace dca::verify
