#include "golden/certificate.hpp"

#include "reference/spec/error.hpp"

namespace dca::golden {

bool flag_of(const std::string& attribute, const AttributeValue& value) {
    const auto* flag = std::get_if<std::int64_t>(&value);
    if (flag == nullptr || (*flag != 0 && *flag != 1)) throw FormatError(attribute + " must be 0 or 1");
    return *flag == 1;
}

std::optional<Certificate> read_certificate(const h5::Dataset& dataset) {
    const auto radius = dataset.attribute("error_radius"), proven = dataset.attribute("error_radius_proven"),
               rounded = dataset.attribute("correctly_rounded");
    if (!radius && !proven && !rounded) return std::nullopt;
    if (!radius || !proven || !rounded) {
        throw FormatError("needs the attributes error_radius, error_radius_proven and correctly_rounded together");
    }
    const auto* size = std::get_if<double>(&*radius);
    if (size == nullptr || !(*size >= 0)) throw FormatError("error_radius must be a number of at least 0");
    return Certificate{*size, flag_of("error_radius_proven", *proven), flag_of("correctly_rounded", *rounded)};
}

void write_certificates(hid_t outputs, const Certificates& certificates) {
    for (const auto& [tensor, certificate] : certificates) {
        if (H5Lexists(outputs, tensor.c_str(), H5P_DEFAULT) <= 0) continue;
        h5::write_dataset_attribute(outputs, tensor, "error_radius", certificate.error_radius);
        h5::write_dataset_attribute(outputs, tensor, "error_radius_proven", std::int64_t{certificate.proven});
        h5::write_dataset_attribute(outputs, tensor, "correctly_rounded", std::int64_t{certificate.correctly_rounded});
    }
}

}  // namespace dca::golden
