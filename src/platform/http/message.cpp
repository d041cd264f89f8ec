#include "platform/http/message.hpp"

#include <algorithm>
#include <map>
#include <stdexcept>

#include "base/nearest.hpp"

namespace trackops::http {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

std::optional<std::string_view> first(const Pairs& pairs, std::string_view name) {
    const auto found = std::ranges::find(
        pairs, name, [](const auto& pair) -> std::string_view { return pair.first; });
    if (found == pairs.end()) return std::nullopt;
    return found->second;
}

std::string unknown_parameter(std::string_view name,
                              std::initializer_list<std::string_view> known) {
    if (known.size() == 0) return "is not known here; this call takes no query parameters";
    if (const auto meant = nearest_name(name, {known.begin(), known.size()}))
        return "is not known here; did you mean " + std::string(*meant) + "?";
    return "is not known here; " + known_names({known.begin(), known.size()});
}

}  // namespace

void Reply::Exchange::known(Response /*response*/) {}

BodyStream& Reply::Exchange::body() {
    throw std::logic_error("the body of " + request().route + " is no stream");
}

std::unique_ptr<AnswerStream> Reply::Exchange::begin(Response /*head*/) {
    throw std::logic_error("the answer of " + request().route + " cannot be a stream");
}

void Reply::Exchange::run(std::unique_ptr<StreamWork> /*work*/) {
    throw std::logic_error("the work of " + request().route + " has no steps");
}

std::string_view Request::param(std::string_view name) const {
    const auto value = first(params, name);
    if (!value)
        throw std::logic_error("route " + std::string(route) + " has no parameter " +
                               std::string(name));
    return *value;
}

std::optional<std::string_view> Request::header(std::string_view name) const {
    return first(headers, name);
}

std::optional<std::string_view> Request::query_value(std::string_view name) const {
    return first(query, name);
}

std::string_view RequestContext::trace_id() const {
    if (traceparent.size() < 35) return {};
    return std::string_view(traceparent).substr(3, 32);
}

Result<void> check_query(const Request& request, std::initializer_list<std::string_view> known,
                         std::initializer_list<std::string_view> repeatable) {
    std::vector<FieldError> faults;
    // A tree and not a hash table: a client cannot choose names that make it slow.
    std::map<std::string_view, std::size_t> occurrences;
    const auto in = [](std::initializer_list<std::string_view> names, std::string_view name) {
        return std::ranges::find(names, name) != names.end();
    };
    for (const auto& [name, value] : request.query) {
        const std::size_t before = occurrences[name]++;
        if (before > 1) continue;
        if (!in(known, name)) {
            if (before == 0) faults.push_back({name, unknown_parameter(name, known), "unknown"});
        } else if (before == 1 && !in(repeatable, name)) {
            faults.push_back({name, "may be given once only", "repeated"});
        }
        if (faults.size() == query_faults_max) break;
    }
    if (faults.empty()) return {};
    return fail(Errc::invalid, "the query is not valid", std::move(faults));
}

}  // namespace trackops::http
