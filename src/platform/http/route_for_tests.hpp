// For tests: a row whose other members do not matter to the test.
#pragma once
#include <string_view>
#include <utility>

#include "platform/http/route.hpp"

namespace trackops::http {

// Everybody may call it. Every method but GET takes JSON.
inline Route route_for_tests(std::string_view method, std::string_view pattern,
                             Handler handler = {}, Work work = Work::memory) {
    return {.method = method,
            .pattern = pattern,
            .scope = Scope::everybody,
            .body = method == "GET" ? Body::none : Body::json,
            .answer = Answer::json,
            .idempotency = Idempotency::none,
            .work = work,
            .handler = std::move(handler)};
}

}  // namespace trackops::http
