// Makes the environ of each request: a dict of its own, as CGI and PEP 3333 name things.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <cppcorn/abi.h>

#include "bridges/python/api.hpp"
#include "bridges/python/reference.hpp"
#include "bridges/python/text.hpp"

namespace cppcorn::python {

// The objects that are the same in each environ.
struct EnvironConstants {
    PyObject* errors;
    PyObject* file_wrapper;
    PyObject* early_hints;
    bool is_multiprocess;
    const char* server; // SERVER_SOFTWARE
};

class EnvironMaker {
  public:
    // False, with an exception set, where there is no memory.
    bool prepare(const EnvironConstants& constants);
    // Null with an exception set where there is no memory.
    Ref make(const cppcorn_request& request, PyObject* input);
    // How many references to that input are held for the next environ.
    Py_ssize_t owners_of(PyObject* input) const { return input == template_input_.get() ? 2 : 0; }

  private:
    struct Hash : std::hash<std::string_view> {
        using is_transparent = void;
    };
    // A variable and its last value.
    struct Variable {
        Ref key;
        LastStr value;
    };
    // By the field's name as it was sent. Never smaller.
    using Variables = std::unordered_map<std::string, Variable, Hash, std::equal_to<>>;

    bool follow(Variable& variable, std::string_view value);
    bool put(Variable& variable, const Ref& key, PyObject* str);
    bool follow_request(const cppcorn_request& request);
    bool follow_target(const cppcorn_request& request);
    bool follow_ports(const cppcorn_request& request);
    bool follow_input(PyObject* input);
    bool follow_unix_socket(const cppcorn_request& request);
    bool add_fields(PyObject* environ, const cppcorn_request& request);
    bool join_fields(PyObject* environ, const cppcorn_request& request, std::size_t last);
    Variable* variable_of(std::string_view name, std::size_t at);
    Variable* new_variable(std::string_view name);

    // What the last request had, but for its header fields: much of it is the same in the next one.
    Ref template_, template_input_;
    Variables variables_;
    Variable unkept_;                            // the last one that is not kept
    std::vector<Variables::value_type*> places_; // the variable that stood at this place among the fields
    Ref input_, request_uri_, cookie_;
    Variable method_, script_name_, protocol_, scheme_, remote_, server_, raw_uri_, path_info_, query_string_;
    Variable port_, remote_port_;
    std::uint32_t port_number_ = 0;
    std::uint32_t remote_port_number_ = 0;
};

} // namespace cppcorn::python
