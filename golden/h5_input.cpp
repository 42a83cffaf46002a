#include "golden/h5_input.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#if __has_include(<H5FDdevelop.h>)
#include <H5FDdevelop.h>
#endif

namespace dca::golden::h5 {
namespace {

/// The driver's view of an open file; H5FD_t first, as the library requires.
struct DriverFile {
    H5FD_t library;
    const InputFile* input;
    haddr_t end_allocated;
};

DriverFile& cast(H5FD_t* file) {
    return *reinterpret_cast<DriverFile*>(file);
}
const DriverFile& cast(const H5FD_t* file) {
    return *reinterpret_cast<const DriverFile*>(file);
}

H5FD_t* driver_open(const char*, unsigned, hid_t access, haddr_t) {
    const auto* input = static_cast<const InputFile* const*>(H5Pget_driver_info(access));
    return input == nullptr ? nullptr : reinterpret_cast<H5FD_t*>(new DriverFile{{}, *input, 0});
}
herr_t driver_close(H5FD_t* file) {
    delete &cast(file);
    return 0;
}
herr_t driver_query(const H5FD_t*, unsigned long* flags) {
    *flags = H5FD_FEAT_DATA_SIEVE | H5FD_FEAT_DEFAULT_VFD_COMPATIBLE;
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
    return cast(file).input->size();
}

/// Short reads fail: nothing beyond the end is made up.
herr_t driver_read(H5FD_t* file, H5FD_mem_t, hid_t, haddr_t at, std::size_t size, void* out) {
    auto* bytes = static_cast<char*>(out);
    while (size > 0) {
        const ssize_t got = pread(cast(file).input->descriptor(), bytes, size, static_cast<off_t>(at));
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return -1;
        bytes += got;
        size -= static_cast<std::size_t>(got);
        at += static_cast<haddr_t>(got);
    }
    return 0;
}
herr_t driver_write(H5FD_t*, H5FD_mem_t, hid_t, haddr_t, std::size_t, const void*) {
    return -1;
}

H5FD_class_t driver_class() {
    H5FD_class_t driver{};
#ifdef H5FD_CLASS_VERSION
    driver.version = H5FD_CLASS_VERSION;
    driver.value = static_cast<H5FD_class_value_t>(401);  // 256 .. 511 are free for drivers outside the library
#endif
    driver.name = "dca_input";
    driver.maxaddr = HADDR_MAX;
    driver.fc_degree = H5F_CLOSE_STRONG;
    driver.fapl_size = sizeof(const InputFile*);
    driver.open = driver_open;
    driver.close = driver_close;
    driver.query = driver_query;
    driver.get_eoa = driver_get_eoa;
    driver.set_eoa = driver_set_eoa;
    driver.get_eof = driver_get_eof;
    driver.read = driver_read;
    driver.write = driver_write;
    std::fill(std::begin(driver.fl_map), std::end(driver.fl_map), H5FD_MEM_SUPER);
    return driver;
}

}  // namespace

Handle open_input(const InputFile& file) {
    silence();
    const H5FD_class_t driver = driver_class();
    const Handle registered(H5FDregister(&driver), H5FDunregister, "cannot register the file driver");
    const Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose, "cannot make a property list");
    const InputFile* pointer = &file;
    check(H5Pset_driver(access.get(), registered.get(), static_cast<const void*>(&pointer)), "cannot set the driver");
    return {H5Fopen("input", H5F_ACC_RDONLY, access.get()), H5Fclose, "not a readable HDF5 file"};
}

}  // namespace dca::golden::h5
