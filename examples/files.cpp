// Serves the files of a directory: files:app("/srv/www")
#include <string>

#include <cppcorn/app.hpp>
#include <cppcorn/static_files.hpp>

CPPCORN_APP_CLASS(app, cppcorn::StaticFiles, std::string)
