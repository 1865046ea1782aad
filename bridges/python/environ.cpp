#include "bridges/python/environ.hpp"

#include <charconv>
#include <string>
#include <utility>

#include "bridges/python/text.hpp"

namespace cppcorn::python {
namespace {

constexpr std::size_t most_variables = 512; // clients choose them
constexpr std::size_t longest_kept = 256;   // of names and of values

bool set_item(PyObject* dict, const char* key, const Ref& value) {
    return value && PyDict_SetItemString(dict, key, value.get()) == 0;
}

Ref interned(const char* text) {
    return Ref::take(PyUnicode_InternFromString(text));
}

Ref boolean(bool value) {
    return Ref::share(value ? Py_True : Py_False);
}

char upper(char c) {
    if (c == '-') return '_';
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}

std::string name_of_variable(std::string_view field) {
    std::string variable = "HTTP_";
    for (const char c : field) variable += upper(c);
    if (variable == "HTTP_CONTENT_TYPE" || variable == "HTTP_CONTENT_LENGTH") variable.erase(0, 5);
    return variable;
}

} // namespace

bool EnvironMaker::prepare(const EnvironConstants& constants) {
    template_ = Ref::take(PyDict_New());
    PyObject* const dict = template_.get();
    const Ref version = Ref::take(Py_BuildValue("(ii)", 1, 0));
    const bool has_constants = dict != nullptr && set_item(dict, "wsgi.version", version) &&
                               set_item(dict, "wsgi.errors", Ref::share(constants.errors)) &&
                               set_item(dict, "wsgi.file_wrapper", Ref::share(constants.file_wrapper)) &&
                               set_item(dict, "wsgi.early_hints", Ref::share(constants.early_hints)) &&
                               set_item(dict, "wsgi.multithread", boolean(false)) &&
                               set_item(dict, "wsgi.multiprocess", boolean(constants.is_multiprocess)) &&
                               set_item(dict, "wsgi.run_once", boolean(false)) &&
                               set_item(dict, "wsgi.input_terminated", boolean(true)) &&
                               set_item(dict, "SERVER_SOFTWARE", interned(constants.server));
    const Ref empty = interned("");
    const std::pair<Ref*, const char*> keys[] = {
        {&input_, "wsgi.input"},           {&path_info_.key, "PATH_INFO"},       {&raw_uri_.key, "RAW_URI"},
        {&request_uri_, "REQUEST_URI"},    {&query_string_.key, "QUERY_STRING"}, {&remote_port_.key, "REMOTE_PORT"},
        {&method_.key, "REQUEST_METHOD"},  {&script_name_.key, "SCRIPT_NAME"},   {&protocol_.key, "SERVER_PROTOCOL"},
        {&scheme_.key, "wsgi.url_scheme"}, {&remote_.key, "REMOTE_ADDR"},        {&server_.key, "SERVER_NAME"},
        {&port_.key, "SERVER_PORT"},
    };
    for (const auto& [key, text] : keys) {
        *key = interned(text);
        if (!*key || !empty || PyDict_SetItem(dict, key->get(), empty.get()) != 0) return false;
    }
    cookie_ = interned("HTTP_COOKIE");
    return has_constants && cookie_;
}

// What is another value than that of the request before becomes the template's.
bool EnvironMaker::follow(Variable& variable, std::string_view value) {
    if (variable.value.is(value)) [[likely]]
        return true;
    return put(variable, variable.key, variable.value.make(value));
}

bool EnvironMaker::put(Variable& variable, const Ref& key, PyObject* str) {
    if (str != nullptr && PyDict_SetItem(template_.get(), key.get(), str) == 0) return true;
    variable.value.forget(); // the template has another one
    return false;
}

bool EnvironMaker::follow_request(const cppcorn_request& request) {
    return follow(method_, view(request.method)) && follow(scheme_, view(request.scheme)) &&
           follow(protocol_, request.http_minor == 0 ? "HTTP/1.0" : "HTTP/1.1") &&
           follow(script_name_, view(request.script_name)) && follow(remote_, view(request.remote_address)) &&
           follow_target(request) && follow_ports(request);
}

bool EnvironMaker::follow_target(const cppcorn_request& request) {
    const std::string_view target = view(request.target);
    const std::string_view path = view(request.path);
    if (!raw_uri_.value.is(target)) {
        if (!follow(raw_uri_, target) || !put(raw_uri_, request_uri_, raw_uri_.value.get())) return false;
        if (path == target) {
            path_info_.value.keep(Ref::share(raw_uri_.value.get()), path);
            if (!put(path_info_, path_info_.key, path_info_.value.get())) return false;
        }
    }
    return follow(path_info_, path) && follow(query_string_, view(request.query));
}

bool EnvironMaker::follow_ports(const cppcorn_request& request) {
    if (request.remote_port != remote_port_number_) {
        if (!follow(remote_port_, request.remote_port == 0 ? "" : std::to_string(request.remote_port))) return false;
        remote_port_number_ = request.remote_port;
    }
    if (request.server_port == 0) return follow_unix_socket(request);
    if (request.server_port != port_number_) {
        if (!follow(port_, std::to_string(request.server_port))) return false;
        port_number_ = request.server_port;
    }
    return follow(server_, view(request.server_name));
}

// It has no address: what the client called us. Neither may be empty.
bool EnvironMaker::follow_unix_socket(const cppcorn_request& request) {
    const std::string_view authority = view(request.authority);
    const std::size_t bracket = authority.rfind(']');
    const std::size_t colon = authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
    const std::string_view name = authority.substr(0, colon);
    const bool has_port = colon != std::string_view::npos && colon + 1 < authority.size();
    const std::string_view usual_port = view(request.scheme) == "https" ? "443" : "80";
    port_number_ = 0;
    return follow(server_, name.empty() ? view(request.server_name) : name) &&
           follow(port_, has_port ? authority.substr(colon + 1) : usual_port);
}

bool EnvironMaker::follow_input(PyObject* input) {
    if (input == template_input_.get()) return true;
    if (PyDict_SetItem(template_.get(), input_.get(), input) != 0) return false;
    template_input_ = Ref::share(input);
    return true;
}

Ref EnvironMaker::make(const cppcorn_request& request, PyObject* input) {
    if (!follow_request(request) || !follow_input(input)) return {};
    Ref environ = Ref::take(PyDict_Copy(template_.get()));
    return environ && add_fields(environ.get(), request) ? std::move(environ) : Ref();
}

bool EnvironMaker::add_fields(PyObject* environ, const cppcorn_request& request) {
    Py_ssize_t size = PyDict_Size(environ);
    for (std::size_t i = 0; i < request.field_count; ++i) {
        const std::string_view value = view(request.fields[i].value);
        Variable* const variable = variable_of(view(request.fields[i].name), i);
        if (variable == nullptr) return false;
        const bool is_known = variable->value.is(value);
        const bool is_kept = is_known || value.size() <= longest_kept;
        const Ref unkept = is_kept ? Ref() : to_str(value);
        PyObject* const str = is_known ? variable->value.get() : is_kept ? variable->value.make(value) : unkept.get();
        if (str == nullptr || PyDict_SetItem(environ, variable->key.get(), str) != 0) return false;
        const Py_ssize_t before = std::exchange(size, PyDict_Size(environ));
        if (size == before && !join_fields(environ, request, i)) return false; // it was there already
    }
    return true;
}

// All fields of one name make one value.
bool EnvironMaker::join_fields(PyObject* environ, const cppcorn_request& request, std::size_t last) {
    const Variable* const variable = variable_of(view(request.fields[last].name), last);
    if (variable == nullptr) return false;
    const Ref key = Ref::share(variable->key.get());
    const bool is_cookie = PyUnicode_Compare(key.get(), cookie_.get()) == 0;
    std::string joined;
    bool is_first = true;
    for (std::size_t i = 0; i <= last; ++i) {
        const Variable* const other = variable_of(view(request.fields[i].name), i);
        if (other == nullptr || PyUnicode_Compare(key.get(), other->key.get()) != 0) continue;
        if (!std::exchange(is_first, false)) joined += is_cookie ? "; " : ",";
        joined += view(request.fields[i].value);
    }
    const Ref str = to_str(joined);
    return str && PyDict_SetItem(environ, key.get(), str.get()) == 0;
}

// Of the field at that place. Null, with an exception set, where there is no memory.
EnvironMaker::Variable* EnvironMaker::variable_of(std::string_view name, std::size_t at) {
    if (at < places_.size() && places_[at]->first == name) return &places_[at]->second;
    const auto known = variables_.find(name);
    if (known == variables_.end()) return new_variable(name);
    if (at == places_.size()) {
        places_.push_back(&*known);
    } else if (at < places_.size()) {
        places_[at] = &*known;
    }
    return &known->second;
}

EnvironMaker::Variable* EnvironMaker::new_variable(std::string_view name) {
    Ref key = to_str(name_of_variable(name));
    if (!key) return nullptr;
    if (variables_.size() >= most_variables || name.size() > longest_kept) {
        unkept_ = {std::move(key), {}};
        return &unkept_;
    }
    PyObject* interned_key = key.release();
    PyUnicode_InternInPlace(&interned_key);
    return &variables_.try_emplace(std::string(name), Variable{Ref::take(interned_key), {}}).first->second;
}

} // namespace cppcorn::python
