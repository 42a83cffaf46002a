#include "golden/h5_catalogue.hpp"

#include <zlib.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>

#include "golden/h5_header.hpp"
#include "reference/spec/error.hpp"
#include "reference/spec/problem.hpp"

namespace dca::golden::h5 {
namespace {

constexpr std::uint64_t no_offset = std::numeric_limits<std::uint64_t>::max();

class Writer {
public:
    [[nodiscard]] std::string take() { return std::move(bytes_); }

    void number(std::uint64_t value) {
        for (int byte = 0; byte < 8; ++byte) bytes_ += static_cast<char>(value >> 8 * byte & 0xff);
    }
    void real(double value) { number(std::bit_cast<std::uint64_t>(value)); }
    void text(const std::string& value) {
        number(value.size());
        bytes_ += value;
    }
    void value(const AttributeValue& value) {
        number(value.index());
        if (const auto* integer = std::get_if<std::int64_t>(&value)) {
            number(static_cast<std::uint64_t>(*integer));
        } else if (const auto* number_ = std::get_if<double>(&value)) {
            real(*number_);
        } else if (const auto* string = std::get_if<std::string>(&value)) {
            text(*string);
        } else if (const auto* integers = std::get_if<std::vector<std::int64_t>>(&value)) {
            number(integers->size());
            for (const std::int64_t i : *integers) number(static_cast<std::uint64_t>(i));
        } else {
            const auto& reals = std::get<std::vector<double>>(value);
            number(reals.size());
            for (const double r : reals) real(r);
        }
    }
    void type_and_shape(const Header& header) {
        const ElementType& type = header.type;
        number(static_cast<std::uint64_t>(type.integer) | static_cast<std::uint64_t>(type.is_signed) << 1);
        number(type.bytes);
        number(static_cast<std::uint64_t>(type.dtype));
        number(header.extents.size());
        for (const std::int64_t extent : header.extents) number(static_cast<std::uint64_t>(extent));
    }
    void node(const Node& node) {
        text(node.name);
        number(static_cast<std::uint64_t>(node.kind));
        text(node.fault);
        text(node.attributes_fault);
        number(node.attributes.size());
        for (const auto& [name, attribute] : node.attributes) {
            text(name);
            text(attribute.fault);
            if (attribute.fault.empty()) value(attribute.value);
        }
        if (node.kind == ObjectKind::dataset && node.fault.empty()) {
            type_and_shape(node.header);
            number(node.header.type.big_endian);
            number(node.header.offset.value_or(no_offset));
            number(node.header.chunk_bytes);
        }
        number(node.children.size());
        for (const Node& child : node.children) this->node(child);
    }

private:
    std::string bytes_;
};

class Parser {
public:
    Parser(std::span<const std::byte> bytes, std::uint64_t file_size) : bytes_(bytes), file_size_(file_size) {}

    Node node(int depth) {
        Node node;
        node.name = text();
        node.kind = static_cast<ObjectKind>(at_most(static_cast<std::uint64_t>(ObjectKind::not_hard)));
        node.fault = text();
        node.attributes_fault = text();
        for (std::uint64_t left = count(16); left > 0; --left) {
            std::string name = text();
            Attribute attribute;
            attribute.fault = text();
            if (attribute.fault.empty()) attribute.value = value();
            require(node.attributes.empty() || node.attributes.rbegin()->first < name);
            node.attributes.emplace_hint(node.attributes.end(), std::move(name), std::move(attribute));
        }
        if (node.kind == ObjectKind::dataset && node.fault.empty()) node.header = header();
        const std::uint64_t children = count(48);
        require(children == 0 || (node.kind == ObjectKind::group && depth < deepest_node));
        for (std::uint64_t left = children; left > 0; --left) {
            Node child = this->node(depth + 1);
            require(node.children.empty() || node.children.back().name < child.name);
            node.children.push_back(std::move(child));
        }
        return node;
    }

    void require_end() const { require(bytes_.empty()); }

private:
    static void require(bool sound) {
        if (!sound) throw FormatError("damaged: the HDF5 library loses its way in it");
    }

    std::uint64_t number() {
        require(bytes_.size() >= 8);
        std::uint64_t value = 0;
        std::memcpy(&value, bytes_.data(), 8);
        if constexpr (std::endian::native == std::endian::big) value = __builtin_bswap64(value);
        bytes_ = bytes_.subspan(8);
        return value;
    }
    std::uint64_t at_most(std::uint64_t limit) {
        const std::uint64_t value = number();
        require(value <= limit);
        return value;
    }
    /// A number of things of at least so many bytes each, which must still be there.
    std::uint64_t count(std::size_t bytes_each) {
        const std::uint64_t value = number();
        require(value <= bytes_.size() / bytes_each);
        return value;
    }
    std::string text() {
        const auto size = static_cast<std::size_t>(count(1));
        std::string value(reinterpret_cast<const char*>(bytes_.data()), size);
        bytes_ = bytes_.subspan(size);
        return value;
    }
    AttributeValue value() {
        switch (number()) {
            case 0: return static_cast<std::int64_t>(number());
            case 1: return std::bit_cast<double>(number());
            case 2: return text();
            case 3: {
                std::vector<std::int64_t> list(static_cast<std::size_t>(count(8)));
                for (std::int64_t& element : list) element = static_cast<std::int64_t>(number());
                return list;
            }
            case 4: {
                std::vector<double> list(static_cast<std::size_t>(count(8)));
                for (double& element : list) element = std::bit_cast<double>(number());
                return list;
            }
            default: require(false);
        }
        throw ContractError("unreachable");
    }

    Header header() {
        Header header;
        ElementType& type = header.type;
        const std::uint64_t flags = at_most(3);
        type.integer = (flags & 1) != 0;
        type.is_signed = (flags & 2) != 0;
        type.bytes = static_cast<std::size_t>(at_most(8));
        type.dtype = static_cast<Dtype>(at_most(static_cast<std::uint64_t>(Dtype::e5m2)));
        require(std::has_single_bit(type.bytes));
        require(type.integer || (!type.is_signed && stored_bytes(type.dtype) == type.bytes));
        header.count = 1;
        require(bytes_.size() >= 8 && std::to_integer<int>(bytes_.front()) != 0);  // at least one axis
        for (std::uint64_t left = count(8); left > 0; --left) {
            const std::uint64_t extent = number();
            require(extent >= 1 && extent <= static_cast<std::uint64_t>(max_elements / header.count));
            header.extents.push_back(static_cast<std::int64_t>(extent));
            header.count *= static_cast<std::int64_t>(extent);
        }
        type.big_endian = at_most(1) == 1;
        const std::uint64_t offset = number(), bytes = static_cast<std::uint64_t>(header.count) * type.bytes;
        header.chunk_bytes = number();
        if (offset == no_offset) {
            require(bytes <= always_expanded || bytes / most_expansion <= file_size_);
            return header;
        }
        require(bytes <= file_size_ && offset <= file_size_ - bytes);
        header.offset = offset;
        return header;
    }

    static std::size_t stored_bytes(Dtype dtype) {
        return dtype == Dtype::tf32 ? 4 : static_cast<std::size_t>(traits(dtype).storage_bits) / 8;
    }

    std::span<const std::byte> bytes_;
    std::uint64_t file_size_;
};

void add_structure(const Node& node, const std::string* except, Writer& to) {
    to.text(node.name);
    to.number(static_cast<std::uint64_t>(node.kind));
    for (const auto& [name, attribute] : node.attributes) {
        if (except != nullptr && name == *except) continue;
        to.text(name);
        to.value(attribute.value);
    }
    if (node.kind == ObjectKind::dataset) to.type_and_shape(node.header);
    to.number(node.children.size());
    for (const Node& child : node.children) add_structure(child, nullptr, to);
}

}  // namespace

std::string to_bytes(const Node& root) {
    Writer writer;
    writer.node(root);
    return writer.take();
}

Node parse_catalogue(std::span<const std::byte> bytes, std::uint64_t file_size) {
    Parser parser(bytes, file_size);
    Node root = parser.node(0);
    parser.require_end();
    return root;
}

std::uint32_t structure_checksum(const Node& case_group, const std::string& except) {
    Writer writer;
    add_structure(case_group, &except, writer);
    const std::string text = writer.take();
    return static_cast<std::uint32_t>(crc32_z(0, reinterpret_cast<const Bytef*>(text.data()), text.size()));
}

}  // namespace dca::golden::h5
