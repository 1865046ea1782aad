// Write an app for cppcorn in C++20.
//
//     #include <cppcorn/app.hpp>
//
//     cppcorn::Response app(cppcorn::Request&) {
//         return {200, {{"Content-Type", "text/plain"}}, "Hello, world!\n"};
//     }
//     CPPCORN_APP(app)
//
// Built as a shared library hello.so, `cppcorn hello:app` serves it. Header-only, over the C interface of abi.h: no C++
// type crosses into the server, so app and server may be built by different compilers with different libraries.
//
// Processes and threads. Each worker is a process of its own, forked from the server, that calls the app from one
// thread, one request at a time. State in the app is that worker's state. What must not be shared by processes
// (connections, threads, random seeds) is made in worker_start.
//
// Errors. An exception that leaves the app is logged and becomes a 500; the worker serves on.
#pragma once

#include <cppcorn/abi.h>
#include <cppcorn/detail/entry.hpp>
#include <cppcorn/detail/factory.hpp>
#include <cppcorn/detail/shape.hpp>
#include <cppcorn/environ.hpp>
#include <cppcorn/errors.hpp>
#include <cppcorn/file.hpp>
#include <cppcorn/log.hpp>
#include <cppcorn/middleware.hpp>
#include <cppcorn/request.hpp>
#include <cppcorn/response.hpp>
#include <cppcorn/start_response.hpp>
#include <cppcorn/worker.hpp>
#include <cppcorn/writer.hpp>
