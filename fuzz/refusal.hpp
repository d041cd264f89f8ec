// The promises about a refused request: every fault is named, the client can repair it, and the
// JSON can be read.
#pragma once
#include "fuzz/promise.hpp"
#include "platform/http/message.hpp"
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

// Also: what was understood and refused names where the fault is. depth: the one fault of a whole
// body.
template <class T>
bool is_taken(const Result<T>& result) {
    if (result) return true;
    check_refusal(result.error());
    promise(result.error().code != Errc::invalid || !result.error().fields.empty() ||
                result.error().detail == "the JSON nests too deep",
            "an invalid request names a field");
    return false;
}

}  // namespace trackops::fuzz
