#include "verify/run/background_writer.hpp"

#include <utility>

namespace dca::verify {

BackgroundWriter::BackgroundWriter(golden::CaseStream& stream) : stream_(stream), thread_([this] { work(); }) {}

BackgroundWriter::~BackgroundWriter() {
    close(true);
}

void BackgroundWriter::push(std::function<void()> job) {
    const std::lock_guard lock(mutex_);
    if (failure_) std::rethrow_exception(failure_);
    jobs_.push_back(std::move(job));
    changed_.notify_one();
}

void BackgroundWriter::work() {
    std::unique_lock lock(mutex_);
    for (;;) {
        changed_.wait(lock, [&] { return closed_ || !jobs_.empty(); });
        if (jobs_.empty()) return;
        const std::function<void()> job = std::move(jobs_.front());
        jobs_.pop_front();
        if (failure_) continue;
        lock.unlock();
        std::exception_ptr failure;
        try {
            job();
        } catch (...) {
            failure = std::current_exception();
        }
        lock.lock();
        if (failure) failure_ = failure;
    }
}

void BackgroundWriter::close(bool drop) {
    {
        const std::lock_guard lock(mutex_);
        closed_ = true;
        if (drop) jobs_.clear();
        changed_.notify_one();
    }
    if (thread_.joinable()) thread_.join();
}

void BackgroundWriter::finish() {
    close(false);
    if (failure_) std::rethrow_exception(failure_);
}

}  // namespace dca::verify
