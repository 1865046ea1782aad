// static_files.hpp needs nothing before it, and is free of warnings where an app asks for many.
#include <cppcorn/app.hpp>
#include <cppcorn/static_files.hpp>

using namespace cppcorn;

CPPCORN_APP_CLASS(tree, StaticFiles, std::string)
CPPCORN_APP_CLASS(tree_with_index, StaticFiles, std::string, std::string)

Response one(Request& request) {
    return serve_file(request, "/srv/report.pdf", {"application/pdf", "\"v7\""});
}
CPPCORN_APP(one)

Response open_file(const Request& request) {
    return serve_file(request, File("/srv/report.pdf", 10, 20));
}
CPPCORN_APP(open_file)

Response below(Request& request) {
    static const StaticFiles files("/srv/www");
    Response response = files.serve(request, request.path().substr(7));
    response.headers.add("Cache-Control", "max-age=3600");
    return response;
}
CPPCORN_APP(below)
