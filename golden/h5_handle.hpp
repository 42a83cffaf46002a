// RAII and checked calls over the HDF5 C API, for files of our own and for child processes. Messages carry the
// library's own reason; who is concerned (file, case, dataset) is added by the callers. Not thread-safe, as the library
// is not.
#pragma once

#include <hdf5.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "golden/h5_node.hpp"
#include "reference/spec/error.hpp"

namespace dca::golden::h5 {

/// Keeps the library from printing its error stack on stderr (what failed is reported by exceptions), and from loading
/// plugins that a file asks for.
void silence();

/// The reason the library gave for the last failed call, one line; empty if it gave none.
[[nodiscard]] std::string last_reason();

/// Throws FormatError "ACTION (reason)".
[[noreturn]] void fail(std::string_view action);

/// Throws FormatError if an HDF5 status is negative.
template <class Status>
Status check(Status status, std::string_view action) {
    if (status < 0) fail(action);
    return status;
}

/// An HDF5 identifier and the call that closes it.
class Handle {
public:
    using Closer = herr_t (*)(hid_t);
    Handle() = default;
    /// Takes ownership; throws FormatError if the identifier is invalid.
    Handle(hid_t id, Closer closer, std::string_view action) : id_(check(id, action)), closer_(closer) {}
    Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, -1)), closer_(other.closer_) {}
    Handle& operator=(Handle&& other) noexcept {
        std::swap(id_, other.id_);
        std::swap(closer_, other.closer_);
        return *this;
    }
    ~Handle() { reset(); }

    void reset() noexcept {
        if (id_ >= 0) closer_(std::exchange(id_, -1));
    }
    /// Closes and throws FormatError if the library could not.
    void close(std::string_view action) {
        if (id_ >= 0) check(closer_(std::exchange(id_, -1)), action);
    }
    [[nodiscard]] hid_t get() const { return id_; }

private:
    hid_t id_ = -1;
    Closer closer_ = nullptr;
};

struct Child {
    std::string name;
    ObjectKind kind;
};

/// Direct children of a group, in lexical order. Throws FormatError if there are more than so many.
[[nodiscard]] std::vector<Child> children(hid_t group, std::size_t most);
[[nodiscard]] Handle open_group(hid_t parent, const std::string& name);
/// Bytes of the file an object lives in.
[[nodiscard]] hsize_t file_size(hid_t object);

}  // namespace dca::golden::h5
