// Why an app cannot be loaded.
#pragma once

#include <stdexcept>

namespace cppcorn {

// what() is one line for the operator. Exit code 4.
class AppLoadError : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

// There is nothing of that name: an entry function's -ENOENT.
class AppNotFound : public AppLoadError {
    using AppLoadError::AppLoadError;
};

} // namespace cppcorn
