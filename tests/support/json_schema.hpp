// A check of JSON against a JSON Schema (draft 2020-12), of those keywords that docs/report.schema.json uses. A keyword
// it does not know is an error of the schema, so that nothing in one goes unchecked.
#pragma once

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace dca::test {

class JsonSchema {
public:
    using json = nlohmann::json;

    /// `closed`: keys that the schema does not name are errors too, as they are in what this project itself writes.
    JsonSchema(json schema, bool closed) : root_(std::move(schema)), closed_(closed) {}
    static JsonSchema of_reports() {
        std::ifstream file(DCA_SOURCE_DIR "/docs/report.schema.json");
        return {json::parse(file), true};
    }

    /// One line per violation, "/cases/0/id: is not a string"; none where the value is valid.
    [[nodiscard]] std::vector<std::string> violations(const json& value) const {
        std::vector<std::string> found;
        check(root_, value, "", found);
        return found;
    }

private:
    static bool has_type(const json& value, const std::string& type) {
        if (type == "object") return value.is_object();
        if (type == "array") return value.is_array();
        if (type == "string") return value.is_string();
        if (type == "boolean") return value.is_boolean();
        if (type == "null") return value.is_null();
        if (type == "number") return value.is_number();
        return type == "integer" && value.is_number_integer();
    }

    void check(const json& schema, const json& value, const std::string& at, std::vector<std::string>& found) const {
        const auto wrong = [&](const std::string& what) { found.push_back((at.empty() ? "/" : at) + ": " + what); };
        for (const auto& [keyword, rule] : schema.items()) {
            if (keyword == "$ref") {
                const std::string pointer = rule.get<std::string>();
                if (pointer.empty() || pointer.front() != '#') throw std::runtime_error("schema: $ref " + pointer);
                check(root_.at(json::json_pointer(pointer.substr(1))), value, at, found);
            } else if (keyword == "type") {
                if (!has_type(value, rule)) wrong("is not of type " + rule.get<std::string>());
            } else if (keyword == "const") {
                if (value != rule) wrong("is not " + rule.dump());
            } else if (keyword == "enum") {
                if (std::find(rule.begin(), rule.end(), value) == rule.end()) wrong("is none of " + rule.dump());
            } else if (keyword == "anyOf") {
                bool any = false;
                for (const json& choice : rule) {
                    std::vector<std::string> tried;
                    check(choice, value, at, tried);
                    any = any || tried.empty();
                }
                if (!any) wrong("matches none of its forms: " + value.dump().substr(0, 80));
            } else if (keyword == "minimum") {
                if (value.is_number() && !(value >= rule)) wrong("is less than " + rule.dump());
            } else if (keyword == "minItems") {
                if (value.is_array() && value.size() < rule.get<std::size_t>()) wrong("is too short");
            } else if (keyword == "maxItems") {
                if (value.is_array() && value.size() > rule.get<std::size_t>()) wrong("is too long");
            } else if (keyword == "items") {
                if (!value.is_array()) continue;
                for (std::size_t i = 0; i < value.size(); ++i)
                    check(rule, value[i], at + "/" + std::to_string(i), found);
            } else if (keyword == "required") {
                for (const json& key : rule) {
                    if (value.is_object() && !value.contains(key)) wrong("lacks " + key.dump());
                }
            } else if (keyword == "properties") {
                if (!value.is_object()) continue;
                for (const auto& [key, member] : value.items()) {
                    if (rule.contains(key)) {
                        check(rule.at(key), member, at + "/" + key, found);
                    } else if (closed_) {
                        wrong("has a key the schema does not name: " + key);
                    }
                }
            } else if (keyword != "description" && keyword != "title" && keyword != "$schema" && keyword != "$defs") {
                throw std::runtime_error("schema: unknown keyword " + keyword);
            }
        }
    }

    json root_;
    bool closed_;
};

}  // namespace dca::test
