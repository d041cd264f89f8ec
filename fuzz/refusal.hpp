// Checks of a refused request: every fault is named, the status is 4xx and the body is valid JSON.
#pragma once
#include "fuzz/promise.hpp"
#include "platform/http/message.hpp"
#include "platform/http/problem.hpp"
#include "platform/json/reader.hpp"

namespace trackops::fuzz {

inline void check_refusal(const Error& error) {
    const int status = http::status_of(error.code);
    promise(status >= 400 && status < 500, "a refusal is the client's to mend");
    promise(!error.detail.empty(), "a refusal says why");
    for (const FieldError& fault : error.fields) {
        promise(!fault.detail.empty() && !fault.code.empty(), "a fault says what it is");
    }
    const http::Response answer = http::problem(error, {.path = "/api"});
    const auto document = json::Document::parse(answer.body);
    promise(document.has_value(), "a problem is JSON");
    const auto errors = document->root().find("errors");
    promise((errors ? errors->size() : 0) == error.fields.size(), "a problem names every fault");
}

// Returns whether the request was accepted. Checks a refusal, and that an invalid request names the
// field at fault, unless it has too much as a whole.
template <class T>
bool is_taken(const Result<T>& result) {
    if (result) return true;
    check_refusal(result.error());
    const std::string_view detail = result.error().detail;
    promise(result.error().code != Errc::invalid || !result.error().fields.empty() ||
                detail == "the JSON nests too deep" || detail.starts_with("a query may have"),
            "an invalid request names a field");
    return false;
}

}  // namespace trackops::fuzz
