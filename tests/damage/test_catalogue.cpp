// The listing of a file, from a child that may say anything.
#include <functional>

#include "golden/h5_catalogue.hpp"
#include "golden/h5_header.hpp"
#include "tests/support/catch.hpp"

using namespace dca;
using namespace dca::golden;
using namespace dca::golden::h5;

namespace {

constexpr std::uint64_t file_size = 1000;

Node dataset(const std::string& name = "d") {
    Node node;
    node.name = name;
    node.kind = ObjectKind::dataset;
    node.header.type = {.bytes = 4, .dtype = Dtype::f32};
    node.header.extents = {2, 5};
    node.header.count = 10;
    node.header.offset = 960;
    return node;
}

Node root_with(std::vector<Node> children) {
    Node root;
    root.name = "/";
    root.attributes["schema"] = {std::string("dca"), ""};
    root.children = std::move(children);
    return root;
}

bool accepted(const std::string& bytes) {
    try {
        return to_bytes(parse_catalogue(std::as_bytes(std::span(bytes)), file_size)) == bytes;
    } catch (const FormatError&) {
        return false;
    }
}

bool accepted_after(const std::function<void(Node&)>& change) {
    Node node = dataset();
    change(node);
    return accepted(to_bytes(root_with({node})));
}

}  // namespace

TEST_CASE("a listing comes back as it was") {
    Node node = dataset();
    node.attributes["a"] = {std::int64_t{-1}, ""};
    node.attributes["b"] = {-0.5, ""};
    node.attributes["c"] = {std::vector<std::int64_t>{1, 2}, ""};
    node.attributes["d"] = {std::vector<double>{}, ""};
    node.attributes["e"] = {std::int64_t{0}, "cannot be read"};
    const std::string bytes = to_bytes(root_with({node}));
    CHECK(accepted(bytes));
    for (std::size_t size = 0; size < bytes.size(); ++size) CHECK_FALSE(accepted(bytes.substr(0, size)));
    CHECK_FALSE(accepted(bytes + '\0'));
}

TEST_CASE("a listing with headers that cannot be is refused") {
    CHECK(accepted_after([](Node&) {}));
    CHECK_FALSE(accepted_after([](Node& node) { node.header.offset = 961; }));
    CHECK_FALSE(accepted_after([](Node& node) { node.header.offset = ~std::uint64_t{1}; }));
    CHECK_FALSE(accepted_after([](Node& node) { node.header.extents = {}; }));
    CHECK_FALSE(accepted_after([](Node& node) { node.header.extents = {0}; }));
    CHECK_FALSE(accepted_after([](Node& node) { node.header.extents = {-1}; }));
    CHECK_FALSE(accepted_after([](Node& node) {
        node.header.extents = {std::int64_t{1} << 32, std::int64_t{1} << 32};
    }));
    CHECK_FALSE(accepted_after([](Node& node) { node.header.type.bytes = 3; }));
    CHECK_FALSE(accepted_after([](Node& node) { node.header.type.bytes = 8; }));
    CHECK_FALSE(accepted_after([](Node& node) { node.header.type.is_signed = true; }));
    CHECK_FALSE(accepted_after([](Node& node) { node.header.type.dtype = static_cast<Dtype>(9); }));
    CHECK_FALSE(accepted_after([](Node& node) { node.kind = static_cast<ObjectKind>(9); }));
    CHECK_FALSE(accepted_after([](Node& node) { node.children = {dataset()}; }));
    CHECK_FALSE(accepted_after([](Node& node) {  // chunks: more than the file could unpack to
        node.header.offset.reset();
        node.header.extents = {std::int64_t{1} << 30};
    }));
}

TEST_CASE("a listing with names twice or nested too deeply is refused") {
    CHECK(accepted(to_bytes(root_with({dataset("a"), dataset("b")}))));
    CHECK_FALSE(accepted(to_bytes(root_with({dataset("a"), dataset("a")}))));
    CHECK_FALSE(accepted(to_bytes(root_with({dataset("b"), dataset("a")}))));
    Node node = dataset();
    for (int depth = 0; depth < 2; ++depth) {
        node = root_with({node});
        CHECK(accepted(to_bytes(root_with({node}))));
    }
    CHECK_FALSE(accepted(to_bytes(root_with({root_with({node})}))));
}
