#include "golden/h5_reader.hpp"

#include "golden/bytes_reader.hpp"

namespace dca::golden::h5 {
namespace {

/// In order; the cursor verifies the checksum.
class InOrder final : public BytesReader {
public:
    explicit InOrder(const Dataset& dataset)
        : BytesReader(dataset.extents(), dataset.type().dtype, std::nullopt), dataset_(dataset), cursor_(dataset_) {}
    [[nodiscard]] bool in_any_order() const override { return false; }

private:
    void load(std::int64_t, std::span<std::byte> out) override { cursor_.read_raw(out); }

    Dataset dataset_;
    DatasetCursor cursor_;
};

}  // namespace

std::unique_ptr<TensorReader> open_reader(const Dataset& dataset) {
    expects(!dataset.type().integer, "open_reader: a dataset of integers");
    const bool flat = dataset.offset() && (!dataset.type().big_endian || dataset.type().bytes == 1);
    if (!flat) return std::make_unique<InOrder>(dataset);
    return read_flat(dataset.file().shared_bytes(), *dataset.offset(), dataset.extents(), dataset.type().dtype,
                     dataset.stored_checksum());
}

}  // namespace dca::golden::h5
