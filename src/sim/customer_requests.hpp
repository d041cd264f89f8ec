// The requests of a customer that may be repeated, with the answers to them.
#pragma once
#include <cstddef>
#include <optional>
#include <string>

#include "sim/answers.hpp"
#include "sim/replica.hpp"

namespace trackops::sim {

struct Placement {
    std::string reference;
    // "": the request has no key and is sent only once.
    std::string key;
    std::string body;
    // The first answer to a request without `wait`.
    std::optional<Answer> first = {};
    std::optional<std::size_t> known = {};  // an index into the known orders
};

struct Change {
    std::size_t order = 0;  // an index into the known orders
    std::string name;
    int number = 0;
    Attempt attempt;
    http::Request request;
    bool has_key = false;
    // The first answer, once the request is being repeated.
    std::optional<Answer> first = {};
};

}  // namespace trackops::sim
