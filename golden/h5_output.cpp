#include "golden/h5_output.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

#if __has_include(<H5FDdevelop.h>)
#include <H5FDdevelop.h>
#endif

namespace dca::golden::h5 {
namespace {

/// The driver's view of an open file; H5FD_t first, as the library requires.
struct DriverFile {
    H5FD_t library;
    OutputState* state;
    haddr_t end_allocated;
    haddr_t end_written;
};

DriverFile& cast(H5FD_t* file) {
    return *reinterpret_cast<DriverFile*>(file);
}
const DriverFile& cast(const H5FD_t* file) {
    return *reinterpret_cast<const DriverFile*>(file);
}

H5FD_t* driver_open(const char*, unsigned, hid_t access, haddr_t) {
    const auto* state = static_cast<OutputState* const*>(H5Pget_driver_info(access));
    return state == nullptr ? nullptr : reinterpret_cast<H5FD_t*>(new DriverFile{{}, *state, 0, 0});
}

herr_t driver_close(H5FD_t* file) {
    delete &cast(file);
    return 0;
}

herr_t driver_query(const H5FD_t*, unsigned long* flags) {
    *flags = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA | H5FD_FEAT_DATA_SIEVE |
             H5FD_FEAT_AGGREGATE_SMALLDATA | H5FD_FEAT_DEFAULT_VFD_COMPATIBLE;
    return 0;
}

haddr_t driver_get_eoa(const H5FD_t* file, H5FD_mem_t) {
    return cast(file).end_allocated;
}
herr_t driver_set_eoa(H5FD_t* file, H5FD_mem_t, haddr_t end) {
    cast(file).end_allocated = end;
    return 0;
}
haddr_t driver_get_eof(const H5FD_t* file, H5FD_mem_t) {
    return cast(file).end_written;
}

/// What was never written, or could not be, reads as zeros.
herr_t driver_read(H5FD_t* file, H5FD_mem_t, hid_t, haddr_t at, std::size_t size, void* out) {
    auto* bytes = static_cast<char*>(out);
    while (size > 0) {
        const ssize_t got = pread(cast(file).state->descriptor, bytes, size, static_cast<off_t>(at));
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        bytes += got;
        size -= static_cast<std::size_t>(got);
        at += static_cast<haddr_t>(got);
    }
    std::memset(bytes, 0, size);
    return 0;
}

herr_t driver_write(H5FD_t* file, H5FD_mem_t, hid_t, haddr_t at, std::size_t size, const void* data) {
    OutputState& state = *cast(file).state;
    const auto* bytes = static_cast<const char*>(data);
    cast(file).end_written = std::max(cast(file).end_written, at + size);
    while (size > 0 && state.error == 0) {
        const ssize_t put = pwrite(state.descriptor, bytes, size, static_cast<off_t>(at));
        if (put < 0 && errno == EINTR) continue;
        if (put <= 0) {
            state.error = put < 0 ? errno : EIO;
            break;
        }
        bytes += put;
        size -= static_cast<std::size_t>(put);
        at += static_cast<haddr_t>(put);
    }
    return 0;
}

herr_t driver_truncate(H5FD_t* file, hid_t, hbool_t) {
    OutputState& state = *cast(file).state;
    const auto size = static_cast<off_t>(cast(file).end_allocated);
    if (state.error == 0 && ftruncate(state.descriptor, size) != 0) state.error = errno;
    cast(file).end_written = cast(file).end_allocated;
    return 0;
}

H5FD_class_t driver_class() {
    H5FD_class_t driver{};
#ifdef H5FD_CLASS_VERSION
    driver.version = H5FD_CLASS_VERSION;
    driver.value = static_cast<H5FD_class_value_t>(400);  // 256 .. 511 are free for drivers outside the library
#endif
    driver.name = "dca_output";
    driver.maxaddr = HADDR_MAX;
    driver.fc_degree = H5F_CLOSE_STRONG;
    driver.fapl_size = sizeof(OutputState*);
    driver.open = driver_open;
    driver.close = driver_close;
    driver.query = driver_query;
    driver.get_eoa = driver_get_eoa;
    driver.set_eoa = driver_set_eoa;
    driver.get_eof = driver_get_eof;
    driver.read = driver_read;
    driver.write = driver_write;
    driver.truncate = driver_truncate;
    std::fill(std::begin(driver.fl_map), std::end(driver.fl_map), H5FD_MEM_SUPER);
    return driver;
}

/// Nothing of the file depends on when or where it is written: format version fixed, object times off.
Handle create_file(const std::filesystem::path& name, hid_t driver, OutputState* state) {
    const Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose, "cannot make a property list");
    check(H5Pset_driver(access.get(), driver, static_cast<const void*>(&state)), "cannot set the file driver");
    check(H5Pset_libver_bounds(access.get(), H5F_LIBVER_V18, H5F_LIBVER_V18), "cannot fix the format version");
    const Handle creation(H5Pcreate(H5P_FILE_CREATE), H5Pclose, "cannot make a property list");
    check(H5Pset_obj_track_times(creation.get(), false), "cannot switch object times off");
    return {H5Fcreate(name.c_str(), H5F_ACC_TRUNC, creation.get(), access.get()), H5Fclose, "cannot create the file"};
}

/// A name next to the target that no other writer has; the file is created. Returns the descriptor, or -1 with errno
/// set.
int create_temporary(const std::filesystem::path& target, std::filesystem::path& name) {
    for (int attempt = 0; attempt < 100; ++attempt) {
        name = target;
        name.replace_filename("." + target.filename().string() + "." + std::to_string(getpid()) + "-" +
                              std::to_string(attempt) + ".tmp");
        const int descriptor = open(name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (descriptor >= 0 || errno != EEXIST) return descriptor;
    }
    return -1;
}

}  // namespace

OutputFile::OutputFile(std::filesystem::path target)
    : target_(std::move(target)), state_(std::make_unique<OutputState>()) {
    silence();
    std::error_code ignored;
    const auto status = std::filesystem::status(target_, ignored);
    if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) {
        throw IoError("cannot write " + target_.string() + ": it exists and is not a regular file");
    }
    state_->descriptor = create_temporary(target_, temporary_);
    if (state_->descriptor < 0) refuse(errno);
    try {
        const H5FD_class_t driver = driver_class();
        driver_ = Handle(H5FDregister(&driver), H5FDunregister, "cannot register the file driver");
        file_ = create_file(temporary_, driver_.get(), state_.get());
    } catch (...) {
        close_descriptor();
        unlink(temporary_.c_str());
        throw;
    }
}

OutputFile::~OutputFile() {
    if (state_->descriptor < 0) return;
    file_.reset();
    close_descriptor();
    unlink(temporary_.c_str());
}

void OutputFile::refuse(int error) const {
    throw IoError("cannot write " + target_.string() + ": " + std::generic_category().message(error));
}

void OutputFile::close_descriptor() noexcept {
    close(state_->descriptor);
    state_->descriptor = -1;
}

void OutputFile::require_written() const {
    if (state_->error != 0) refuse(state_->error);
}

void OutputFile::commit() {
    file_.close("cannot complete " + target_.string());
    require_written();
    if (fsync(state_->descriptor) != 0) refuse(errno);
    if (rename(temporary_.c_str(), target_.c_str()) != 0) refuse(errno);
    close_descriptor();
}

}  // namespace dca::golden::h5
