// A thread that writes tensors while others compute.
#pragma once

#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "golden/store.hpp"

namespace dca::verify {

/// Appends to a stream in the order asked for, on a thread of its own: nobody else may use the HDF5 library meanwhile.
class BackgroundWriter {
public:
    explicit BackgroundWriter(golden::CaseStream& stream);
    /// What is not yet written is left out.
    ~BackgroundWriter();
    BackgroundWriter(const BackgroundWriter&) = delete;
    BackgroundWriter& operator=(const BackgroundWriter&) = delete;

    /// From any thread; the elements must stay until finish(). Throws what writing threw before.
    template <class T>
    void append(std::string path, std::span<const T> values) {
        push([this, path = std::move(path), values] { stream_.append(path, values); });
    }
    /// Waits until all is written; throws what writing threw.
    void finish();

private:
    void push(std::function<void()> job);
    void work();
    void close(bool drop);

    golden::CaseStream& stream_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::function<void()>> jobs_;
    bool closed_ = false;
    std::exception_ptr failure_;
    std::thread thread_;
};

}  // namespace dca::verify
