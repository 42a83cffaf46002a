#include "golden/h5_walk.hpp"

#include <algorithm>

#include "golden/h5_attribute.hpp"
#include "golden/h5_box.hpp"
#include "golden/h5_catalogue.hpp"
#include "golden/h5_header.hpp"
#include "golden/h5_input.hpp"
#include "golden/text.hpp"

namespace dca::golden::h5 {
namespace {

class Walker {
public:
    /// Whether there were more objects than most_objects; the listing is then not all.
    [[nodiscard]] bool exhausted() const { return exhausted_; }

    Node group(hid_t id, const std::string& name, int depth) {
        Node node;
        node.name = name;
        node.kind = ObjectKind::group;
        attributes(id, node);
        if (depth >= deepest_node) return node;
        try {
            for (const Child& child : list(id)) node.children.push_back(this->child(id, child, depth + 1));
        } catch (const FormatError& error) {
            node.fault = error.what();
        }
        return node;
    }

private:
    /// As children(), but bounded, and no name twice.
    std::vector<Child> list(hid_t id) {
        std::vector<Child> found;
        if (!exhausted_) found = h5::children(id, most_objects + 1);
        objects_ += found.size();
        exhausted_ = exhausted_ || objects_ > most_objects;
        if (exhausted_) return {};
        std::sort(found.begin(), found.end(), [](const Child& a, const Child& b) { return a.name < b.name; });
        const auto twice = std::adjacent_find(found.begin(), found.end(),
                                              [](const Child& a, const Child& b) { return a.name == b.name; });
        if (twice != found.end()) throw FormatError("has " + printable(twice->name) + " twice");
        return found;
    }

    Node child(hid_t parent, const Child& child, int depth) {
        Node node;
        node.name = child.name;
        node.kind = child.kind;
        if (child.kind == ObjectKind::dataset) return dataset(parent, child.name);
        if (child.kind != ObjectKind::group || depth >= deepest_node) return node;
        try {
            return group(h5::open_group(parent, child.name).get(), child.name, depth);
        } catch (const FormatError& error) {
            node.fault = error.what();
            return node;
        }
    }

    Node dataset(hid_t parent, const std::string& name) {
        Node node;
        node.name = name;
        node.kind = ObjectKind::dataset;
        try {
            const Handle id(H5Dopen2(parent, name.c_str(), H5P_DEFAULT), H5Dclose, "cannot be opened");
            attributes(id.get(), node);
            node.header = check_header(id.get());
        } catch (const FormatError& error) {
            node.fault = error.what();
        }
        return node;
    }

    void attributes(hid_t id, Node& node) {
        try {
            for (const std::string& name : attribute_names(id, most_attributes)) {
                Attribute& attribute = node.attributes[name];
                try {
                    attribute.value = read_attribute(id, name, most_attribute_bytes);
                } catch (const FormatError& error) {
                    attribute.fault = error.what();
                }
            }
        } catch (const FormatError& error) {
            node.attributes_fault = error.what();
        }
    }

    std::size_t objects_ = 0;
    bool exhausted_ = false;
};

}  // namespace

Node walk(hid_t group, const std::string& name, int depth) {
    Walker walker;
    Node node = walker.group(group, name, depth);
    if (walker.exhausted()) throw FormatError("holds more objects than is accepted");
    return node;
}

Node walk_file(const InputFile& file) {
    const Handle opened = open_input(file);
    const Handle root(H5Gopen2(opened.get(), "/", H5P_DEFAULT), H5Gclose, "has no root group");
    return walk(root.get(), "/", 0);
}

void send_elements(const InputFile& file, const std::string& path, const Header& header,
                   const std::function<void(std::span<const std::byte>)>& send) {
    const Handle opened = open_input(file);
    const Handle dataset(H5Dopen2(opened.get(), path.c_str(), H5P_DEFAULT), H5Dclose, "cannot be opened");
    const Header found = check_header(dataset.get());
    if (found.extents != header.extents || found.type.bytes != header.type.bytes) {
        throw FormatError("changed while it was read");
    }
    const Handle file_type(H5Dget_type(dataset.get()), H5Tclose, "has an unreadable type");
    const Handle type(H5Tcopy(file_type.get()), H5Tclose, "has an unreadable type");
    check(H5Tset_order(type.get(), H5T_ORDER_LE), "has an unreadable type");
    const Handle space(H5Dget_space(dataset.get()), H5Sclose, "cannot be read");
    // Pieces of several chunks, so that few chunks are unpacked twice.
    const std::uint64_t wanted = std::max<std::uint64_t>(2 * header.chunk_bytes, std::uint64_t{8} << 20);
    const auto piece = static_cast<std::int64_t>(wanted / header.type.bytes);
    std::vector<std::byte> bytes;
    for (std::int64_t done = 0; done < header.count;) {
        const Box box = next_box(header.extents, done, std::min(piece, header.count - done));
        check(H5Sselect_hyperslab(space.get(), H5S_SELECT_SET, box.start.data(), nullptr, box.extent.data(), nullptr),
              "cannot be read");
        const Handle memory(H5Screate_simple(static_cast<int>(box.extent.size()), box.extent.data(), nullptr), H5Sclose,
                            "cannot be read");
        bytes.resize(static_cast<std::size_t>(box.count) * header.type.bytes);
        check(H5Dread(dataset.get(), type.get(), memory.get(), space.get(), H5P_DEFAULT, bytes.data()),
              "cannot be read");
        send(bytes);
        done += box.count;
    }
}

}  // namespace dca::golden::h5
