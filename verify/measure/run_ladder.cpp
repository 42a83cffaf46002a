#include "verify/measure/run_ladder.hpp"

#include <unistd.h>

#include <algorithm>
#include <cmath>

#include "verify/measure/count.hpp"
#include "verify/measure/order_statistics.hpp"
#include "verify/measure/repeats.hpp"
#include "verify/measure/replicas.hpp"
#include "verify/measure/resident.hpp"

namespace dca::measure {
namespace {

using Clock = std::chrono::steady_clock;

/// Shorter runs are repeated within one reading, until the clock's and the caches' grain is small beside them.
constexpr double shortest_reading = 0.02;
constexpr double most_calls = 1e6;

double seconds_since(Clock::time_point begin) {
    return std::chrono::duration<double>(Clock::now() - begin).count();
}

/// A contender at one size.
struct Lane {
    const Contender* contender = nullptr;
    Point* point = nullptr;
    std::unique_ptr<Session> session;
    std::int64_t calls = 1;
};

/// What the warm-up of the size before took: a run grows at most as the square of the length.
struct Experience {
    std::int64_t n = 0;
    double seconds = 0;
    std::string failure;  ///< of an earlier size
    [[nodiscard]] double foreseen(std::int64_t next) const {
        const double growth = n > 0 ? static_cast<double>(next) / static_cast<double>(n) : 0;
        return seconds * growth * growth;
    }
};

std::string short_seconds(double seconds) {
    char text[32];
    std::snprintf(text, sizeof text, "%.3g s", seconds);
    return text;
}

/// Starts the process and makes the first run, which is not counted. False where that failed.
bool open(Lane& lane, const Size& size, const LadderOptions& options, Workshop& workshop, Experience& experience) {
    Point& point = *lane.point;
    if (!experience.failure.empty()) {
        point.failure = "left out: " + experience.failure;
        return false;
    }
    if (const double foreseen = experience.foreseen(size.n); foreseen > options.longest_run) {
        point.failure = "left out: one run is foreseen to take " + short_seconds(foreseen);
        return false;
    }
    try {
        lane.session = open_session(*lane.contender, size, workshop);
        point.memory_source = lane.session->memory_source();
        point.input_bytes = lane.session->input_bytes();
        point.output_bytes = lane.session->output_bytes();
        const Reading warm = lane.session->run(1);
        point.resident_bytes = warm.resident_bytes;
        experience.n = size.n;
        experience.seconds = warm.wall_seconds;
        if (!lane.session->whole_process()) {
            lane.calls = static_cast<std::int64_t>(
                std::clamp(std::ceil(shortest_reading / std::max(warm.wall_seconds, 1e-9)), 1.0, most_calls));
        }
    } catch (const CandidateBroke& broke) {
        point.failure = broke.what();
        experience.failure = "it broke at n = " + std::to_string(size.n);
        lane.session.reset();
    }
    return lane.session != nullptr;
}

/// How much of its time the run lacked a processor. A single thread that only computes lacks it whenever the clock
/// goes on and its own time does not; for others what the machine did besides is told by the system in steps of 10 ms.
std::optional<double> lacking(const Lane& lane, const Reading& reading, std::optional<double> machine_used) {
    const double wall = reading.wall_seconds, cpu = reading.cpu_seconds;
    if (reading.gpu_seconds || !(wall > 0)) return std::nullopt;
    if (!lane.session->whole_process() && lane.contender->setting.threads == 1) {
        return std::clamp(1 - cpu / wall, 0.0, 1.0);
    }
    constexpr double coarse = 0.2;  // 20 steps
    if (!machine_used || wall < coarse) return std::nullopt;
    const auto processors = static_cast<double>(sysconf(_SC_NPROCESSORS_ONLN));
    const double threads = std::clamp(std::max<double>(lane.contender->setting.threads, cpu / wall), 1.0, processors);
    return share_lacking(wall, std::max(0.0, *machine_used - cpu), threads, processors);
}

void run_once(Lane& lane, int round, const Size& size, Experience& experience) {
    try {
        const std::optional<double> before = machine_seconds();
        const Reading reading = lane.session->run(lane.calls);
        const std::optional<double> after = machine_seconds();
        std::optional<double> used;
        if (before && after) used = *after - *before;
        const auto calls = static_cast<double>(lane.calls);
        Repeat repeat;
        repeat.round = round;
        repeat.wall_seconds = reading.wall_seconds / calls;
        repeat.cpu_seconds = reading.cpu_seconds / calls;
        repeat.peak_bytes = reading.peak_bytes;
        repeat.gpu_seconds = reading.gpu_seconds;
        repeat.gpu_bytes = reading.gpu_bytes;
        repeat.stolen = lacking(lane, reading, used);
        lane.point->repeats.push_back(repeat);
    } catch (const CandidateBroke& broke) {
        lane.point->failure = broke.what();
        experience.failure = "it broke at n = " + std::to_string(size.n);
        lane.session.reset();
    }
}

/// Whether every lane is known well enough, and with several the ratios of the rounds to the first lane too.
bool all_settled(const std::vector<Lane>& lanes, double precision) {
    std::vector<double> first;
    for (const Lane& lane : lanes) {
        if (!lane.session) continue;
        std::vector<double> times = steadiest_times(*lane.point);
        if (!(relative_width(times) <= precision)) return false;
        if (first.empty()) {
            first = times;
            continue;
        }
        for (std::size_t i = 0; i < times.size() && i < first.size(); ++i) times[i] /= first[i];
        if (!(relative_width(times) <= precision)) return false;
    }
    return true;
}

void repeat(std::vector<Lane>& lanes, const Size& size, const LadderOptions& options,
            std::vector<Experience>& experience) {
    const int most = options.timed ? std::max(options.least_repeats, options.most_repeats) : least_repeats(tail);
    const auto begin = Clock::now();
    for (int round = 0; round < most; ++round) {
        for (std::size_t i = 0; i < lanes.size(); ++i) {
            const std::size_t turn = round % 2 == 0 ? i : lanes.size() - 1 - i;
            if (lanes[turn].session) run_once(lanes[turn], round, size, experience[turn]);
        }
        if (!options.timed || round + 1 < options.least_repeats) continue;
        if (all_settled(lanes, options.precision) || seconds_since(begin) > options.seconds) break;
    }
    for (Lane& lane : lanes) {
        Point& point = *lane.point;
        point.settled = options.timed && relative_width(steadiest_times(point)) <= options.precision;
        if (options.timed) point.disturbed = disturbance(point);
    }
}

}  // namespace

std::vector<Ladder> run_ladders(const LadderOptions& options, Workshop& workshop) {
    std::vector<Ladder> ladders;
    for (const Contender& contender : options.contenders) {
        ladders.push_back({contender.candidate, contender.setting, {}});
    }
    std::vector<Experience> experience(options.contenders.size());
    for (std::size_t s = 0; s < options.sizes.size(); ++s) {
        const Size& size = options.sizes[s];
        std::vector<Lane> lanes(options.contenders.size());
        for (std::size_t i = 0; i < lanes.size(); ++i) {
            const Contender& contender = options.contenders[i];
            if (options.progress) {
                options.progress(s, options.sizes.size(), contender.candidate + " n=" + std::to_string(size.n));
            }
            Point& point = ladders[i].points.emplace_back();
            point.n = size.n;
            point.chunk_size = size.chunk_size;
            point.local_size = size.local_size;
            count_work(contender, point);
            lanes[i].contender = &contender;
            lanes[i].point = &point;
            open(lanes[i], size, options, workshop, experience[i]);
        }
        repeat(lanes, size, options, experience);
    }
    return ladders;
}

}  // namespace dca::measure
