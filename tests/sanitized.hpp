// CPPCORN_TEST_SANITIZED: 1 where the tests are built with AddressSanitizer, whose malloc() and limits are its own.
#pragma once

#if defined(__has_feature)
#define CPPCORN_TEST_SANITIZED __has_feature(address_sanitizer)
#elif defined(__SANITIZE_ADDRESS__)
#define CPPCORN_TEST_SANITIZED 1
#else
#define CPPCORN_TEST_SANITIZED 0
#endif
