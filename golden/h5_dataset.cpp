// Reading. The crc32 attribute covers the elements as little-endian bytes, whatever the byte order in the file.
#include "golden/h5_dataset.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>

#include "golden/crc32.hpp"
#include "golden/h5_walk.hpp"
#include "golden/schema.hpp"

namespace dca::golden::h5 {
namespace {

static_assert(std::endian::native == std::endian::little, "elements are handled as little-endian bytes");

template <class T>
T element_at(std::span<const std::byte> bytes, std::int64_t index) {
    T value;
    std::memcpy(&value, bytes.data() + static_cast<std::size_t>(index) * sizeof(T), sizeof(T));
    return value;
}

double number_at(std::span<const std::byte> bytes, std::int64_t index, Dtype dtype) {
    switch (dtype) {
        case Dtype::f64: return element_at<double>(bytes, index);
        case Dtype::f32:
        case Dtype::tf32: return static_cast<double>(element_at<float>(bytes, index));
        case Dtype::f16:
        case Dtype::bf16: return decode(dtype, element_at<std::uint16_t>(bytes, index));
        case Dtype::e4m3:
        case Dtype::e5m2: return decode(dtype, element_at<std::uint8_t>(bytes, index));
    }
    throw ContractError("no such dtype");
}

std::int64_t integer_at(std::span<const std::byte> bytes, std::int64_t index, const ElementType& type) {
    switch (type.bytes) {
        case 1: return type.is_signed ? element_at<std::int8_t>(bytes, index) : element_at<std::uint8_t>(bytes, index);
        case 2:
            return type.is_signed ? element_at<std::int16_t>(bytes, index) : element_at<std::uint16_t>(bytes, index);
        case 4:
            return type.is_signed ? element_at<std::int32_t>(bytes, index) : element_at<std::uint32_t>(bytes, index);
        default: break;
    }
    const auto value = element_at<std::int64_t>(bytes, index);
    if (!type.is_signed && value < 0) throw FormatError("holds an integer beyond 64-bit signed integers");
    return value;
}

/// Little-endian afterwards.
void swap_bytes(std::span<std::byte> bytes, std::size_t size) {
    for (std::size_t at = 0; at < bytes.size(); at += size) {
        std::reverse(bytes.begin() + static_cast<std::ptrdiff_t>(at),
                     bytes.begin() + static_cast<std::ptrdiff_t>(at + size));
    }
}

const Node* find_dataset(const Node& root, const std::string& path) {
    const Node* node = &root;
    for (std::size_t begin = 0; begin <= path.size() && node != nullptr;) {
        const std::size_t end = std::min(path.find('/', begin), path.size());
        node = find_child(*node, path.substr(begin, end - begin));
        begin = end + 1;
    }
    if (node == nullptr || node->kind != ObjectKind::dataset) throw FormatError("cannot be opened");
    if (!node->fault.empty()) throw FormatError(node->fault);
    return node;
}

/// A chunk is in memory packed and unpacked while it is read, and a few more may be kept. Deflate unpacks 8 MiB in far
/// less than a second.
ApartLimits limits_for(const Header& header) {
    const auto bytes = static_cast<std::uint64_t>(header.count) * header.type.bytes;
    ApartLimits limits;
    limits.seconds = 2 + static_cast<unsigned>(bytes >> 23);
    limits.memory += static_cast<std::size_t>(12 * header.chunk_bytes);
    return limits;
}

}  // namespace

Dataset::Dataset(const File& file, const std::string& path)
    : file_(&file), path_(path), node_(find_dataset(file.root(), path)) {}

std::vector<std::string> Dataset::unknown_attributes() const {
    std::vector<std::string> names = attribute_names(*node_);
    constexpr std::string_view known[] = {"correctly_rounded", "crc32", "error_radius", "error_radius_proven",
                                          "storage"};
    std::erase_if(names, [&](const std::string& name) { return std::ranges::find(known, name) != std::end(known); });
    return names;
}

std::optional<AttributeValue> Dataset::attribute(const std::string& name) const {
    return find_attribute(*node_, name);
}

std::optional<std::uint32_t> Dataset::stored_checksum() const {
    const std::optional<AttributeValue> found = attribute("crc32");
    if (!found) return std::nullopt;
    const AttributeValue stored = unwrapped(*found);
    const auto* value = std::get_if<std::int64_t>(&stored);
    if (value == nullptr)
        throw FormatError("attribute crc32 is " + std::string(kind_text(stored)) + ", expected an integer");
    if (*value < 0 || *value > std::numeric_limits<std::uint32_t>::max())
        throw FormatError("attribute crc32 is " + std::to_string(*value) + ", no checksum of 32 bits");
    return static_cast<std::uint32_t>(*value);
}

DatasetCursor::DatasetCursor(const Dataset& dataset) : dataset_(dataset) {
    if (dataset.offset()) return;
    const Header& header = dataset.node_->header;
    child_ = std::make_unique<ChildProcess>(limits_for(header), [&](const ChildProcess::Send& send) {
        send_elements(dataset.file_->bytes(), dataset.path_, header, send);
    });
}
DatasetCursor::~DatasetCursor() = default;
DatasetCursor::DatasetCursor(DatasetCursor&&) noexcept = default;

void DatasetCursor::read_raw(std::span<std::byte> out) {
    const ElementType& type = dataset_.type();
    const auto count = static_cast<std::int64_t>(out.size() / type.bytes);
    expects(count <= left(), "DatasetCursor: more elements than the dataset has");
    if (child_) {
        child_->receive(out);
    } else {
        dataset_.file_->bytes().read(*dataset_.offset() + static_cast<std::uint64_t>(done_) * type.bytes, out);
        if (type.big_endian) swap_bytes(out, type.bytes);
    }
    done_ += count;
    checksum_ = crc32(checksum_, out);
    if (left() > 0) return;
    if (child_) child_->finish();
    require_checksum(dataset_.stored_checksum(), checksum_);
}

void DatasetCursor::read(std::span<double> out) {
    const ElementType& type = dataset_.type();
    expects(!type.integer, "DatasetCursor: a dataset of integers");
    if (type.dtype == Dtype::f64) return read_raw(std::as_writable_bytes(out));
    bytes_.resize(out.size() * type.bytes);
    read_raw(bytes_);
    for (std::size_t i = 0; i < out.size(); ++i) {
        out[i] = number_at(bytes_, static_cast<std::int64_t>(i), type.dtype);
    }
}

void Dataset::read(std::span<double> out) const {
    expects(!type().integer && static_cast<std::int64_t>(out.size()) == count(), "read: wrong type or size");
    constexpr std::size_t piece = std::size_t{1} << 20;
    DatasetCursor cursor(*this);
    for (std::size_t done = 0; done < out.size(); done += piece) {
        cursor.read(out.subspan(done, std::min(piece, out.size() - done)));
    }
}

std::vector<std::int64_t> Dataset::read_integers() const {
    expects(type().integer, "read_integers: a dataset of numbers");
    std::vector<std::byte> bytes(static_cast<std::size_t>(count()) * type().bytes);
    DatasetCursor(*this).read_raw(bytes);
    std::vector<std::int64_t> values(static_cast<std::size_t>(count()));
    for (std::int64_t i = 0; i < count(); ++i) values[static_cast<std::size_t>(i)] = integer_at(bytes, i, type());
    return values;
}

}  // namespace dca::golden::h5
