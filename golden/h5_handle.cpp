#include "golden/h5_handle.hpp"

#include "golden/text.hpp"

namespace dca::golden::h5 {
namespace {

herr_t keep_first(unsigned, const H5E_error2_t* error, void* out) {
    auto& reason = *static_cast<std::string*>(out);
    if (reason.empty() && error->desc != nullptr) reason = error->desc;
    return 0;
}

struct Names {
    std::vector<std::string> found;
    std::size_t most;
};

/// An exception must not pass through the library. 1 ends the listing.
herr_t collect_name(hid_t, const char* name, const H5L_info_t*, void* out) {
    auto& names = *static_cast<Names*>(out);
    if (names.found.size() > names.most) return 1;
    names.found.emplace_back(name);
    return 0;
}

ObjectKind kind_of(hid_t group, const std::string& name) {
    H5L_info_t link{};
    check(H5Lget_info(group, name.c_str(), &link, H5P_DEFAULT), "cannot read a link");
    if (link.type != H5L_TYPE_HARD) return ObjectKind::not_hard;
    const Handle object(H5Oopen(group, name.c_str(), H5P_DEFAULT), H5Oclose, "cannot open " + printable(name));
    const H5I_type_t type = H5Iget_type(object.get());
    if (type == H5I_GROUP) return ObjectKind::group;
    return type == H5I_DATASET ? ObjectKind::dataset : ObjectKind::other;
}

}  // namespace

void silence() {
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
    H5PLset_loading_state(0);
}

std::string last_reason() {
    std::string reason;
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_first, &reason);
    return printable(reason);
}

void fail(std::string_view action) {
    const std::string reason = last_reason();
    throw FormatError(std::string(action) + (reason.empty() ? "" : " (" + reason + ")"));
}

std::vector<Child> children(hid_t group, std::size_t most) {
    Names names{{}, most};
    hsize_t position = 0;
    check(H5Literate(group, H5_INDEX_NAME, H5_ITER_INC, &position, collect_name, &names), "cannot list a group");
    if (names.found.size() > most) throw FormatError("holds more objects than is accepted");
    std::vector<Child> found;
    for (const std::string& name : names.found) found.push_back({name, kind_of(group, name)});
    return found;
}

Handle open_group(hid_t parent, const std::string& name) {
    return {H5Gopen2(parent, name.c_str(), H5P_DEFAULT), H5Gclose, "cannot open group " + printable(name)};
}

hsize_t file_size(hid_t object) {
    const Handle file(H5Iget_file_id(object), H5Fclose, "cannot find the file of an object");
    hsize_t size = 0;
    check(H5Fget_filesize(file.get(), &size), "cannot determine the size of the file");
    return size;
}

}  // namespace dca::golden::h5
