// Write an app for cppcorn in C++20.
//
//     #include <cppcorn/app.hpp>
//
//     cppcorn::Response app(cppcorn::Request&) {
//         return {200, {{"Content-Type", "text/plain"}}, "Hello, world!\n"};
//     }
//     CPPCORN_APP(app)
//
// Built as a shared library hello.so, `cppcorn hello:app` serves it. Header-only, over the C interface of abi.h. No C++
// type crosses into the server, so app and server may be built by different compilers with different libraries.
//
// Processes and threads. Each worker is a process of its own, forked from the server. It calls the app from one thread,
// one request at a time. State in the app is that worker's state. Make what processes must not share (connections,
// threads, random seeds) in worker_start. No class here locks anything: use each object from one thread at a time. A
// request and what belongs to it (Request, Environ, Writer) is for the thread that called the app; other threads may
// read views that it gave out. Only log() without a request is for all threads.
//
// Errors. If an exception leaves the app, it is logged and the client gets a 500. The worker keeps serving.
#pragma once

#if __cplusplus <= 201703L
#error "cppcorn needs C++20: compile with -std=c++20 (CMake: cppcorn_add_app() does, or link to cppcorn::app)"
#else

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

#endif
