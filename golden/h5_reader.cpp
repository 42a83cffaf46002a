#include "golden/h5_reader.hpp"

#include "golden/bytes_reader.hpp"
#include "golden/h5_box.hpp"

namespace dca::golden::h5 {
namespace {

/// Another handle of the same dataset; it also keeps the file open.
Handle another(hid_t dataset) {
    check(H5Iinc_ref(dataset), "cannot be opened");
    return {dataset, H5Dclose, "cannot be opened"};
}

class SlabReader final : public BytesReader {
public:
    SlabReader(Handle dataset, std::vector<std::int64_t> extents, Dtype dtype, std::optional<std::uint32_t> checksum)
        : BytesReader(std::move(extents), dtype, checksum), dataset_(std::move(dataset)) {
        const Handle file_type(H5Dget_type(dataset_.get()), H5Tclose, "has an unreadable type");
        type_ = Handle(H5Tcopy(file_type.get()), H5Tclose, "has an unreadable type");
        check(H5Tset_order(type_.get(), H5T_ORDER_LE), "has an unreadable type");
        space_ = Handle(H5Dget_space(dataset_.get()), H5Sclose, "cannot be read");
    }
    /// The library is not for several threads.
    [[nodiscard]] bool in_any_order() const override { return false; }

private:
    void load(std::int64_t first, std::span<std::byte> out) override {
        while (!out.empty()) {
            const Box box = next_box(extents(), first, static_cast<std::int64_t>(out.size() / element_size()));
            check(H5Sselect_hyperslab(space_.get(), H5S_SELECT_SET, box.start.data(), nullptr, box.extent.data(),
                                      nullptr),
                  "cannot be read");
            const Handle memory(H5Screate_simple(static_cast<int>(box.extent.size()), box.extent.data(), nullptr),
                                H5Sclose, "cannot be read");
            check(H5Dread(dataset_.get(), type_.get(), memory.get(), space_.get(), H5P_DEFAULT, out.data()),
                  "cannot be read");
            first += box.count;
            out = out.subspan(static_cast<std::size_t>(box.count) * element_size());
        }
    }

    Handle dataset_, type_, space_;
};

bool little_endian(hid_t dataset) {
    const Handle type(H5Dget_type(dataset), H5Tclose, "has an unreadable type");
    return H5Tget_size(type.get()) == 1 || H5Tget_order(type.get()) == H5T_ORDER_LE;
}

/// The descriptor of the file where the library reads it by plain system calls; else nothing.
std::optional<int> descriptor_of(hid_t dataset) {
    const Handle file(H5Iget_file_id(dataset), H5Fclose, "cannot be opened");
    const Handle access(H5Fget_access_plist(file.get()), H5Pclose, "cannot be opened");
    if (H5Pget_driver(access.get()) != H5FD_SEC2) return std::nullopt;
    void* descriptor = nullptr;
    check(H5Fget_vfd_handle(file.get(), H5P_DEFAULT, &descriptor), "cannot be opened");
    return *static_cast<const int*>(descriptor);
}

}  // namespace

std::unique_ptr<TensorReader> open_reader(const Dataset& dataset) {
    expects(!dataset.type().integer, "open_reader: a dataset of integers");
    Handle handle = another(dataset.id());
    const Dtype dtype = dataset.type().dtype;
    const std::optional<std::uint32_t> checksum = dataset.stored_checksum();
    // Inside the file: the header has been checked. No offset: the elements are not in one piece.
    const haddr_t offset = H5Dget_offset(handle.get());
    const std::optional<int> descriptor = descriptor_of(handle.get());
    if (offset == HADDR_UNDEF || !descriptor || !little_endian(handle.get())) {
        return std::make_unique<SlabReader>(std::move(handle), dataset.extents(), dtype, checksum);
    }
    return read_flat(std::make_shared<Handle>(std::move(handle)), *descriptor, offset, dataset.extents(), dtype,
                     checksum);
}

}  // namespace dca::golden::h5
