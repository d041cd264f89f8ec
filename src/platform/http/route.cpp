#include "platform/http/route.hpp"

namespace trackops::http {
namespace {

struct BodyKind {
    std::string_view name;
    std::string_view media_type;
};
constexpr auto bodies = std::to_array<BodyKind>(
    {{"none", ""}, {"json", "application/json"}, {"ndjson-stream", "application/x-ndjson"}});
static_assert(bodies.size() == static_cast<std::size_t>(Body::ndjson_stream) + 1);

constexpr auto answers =
    std::to_array<std::string_view>({"json", "ndjson-stream", "event-stream", "text"});
static_assert(answers.size() == static_cast<std::size_t>(Answer::text) + 1);

constexpr auto idempotencies = std::to_array<std::string_view>({"none", "optional", "required"});
static_assert(idempotencies.size() == static_cast<std::size_t>(Idempotency::required) + 1);

constexpr auto works = std::to_array<std::string_view>({"memory", "query", "bulk"});
static_assert(works.size() == static_cast<std::size_t>(Work::bulk) + 1);

}  // namespace

std::string_view name_of(Body body) { return bodies.at(static_cast<std::size_t>(body)).name; }
std::string_view name_of(Answer answer) { return answers.at(static_cast<std::size_t>(answer)); }
std::string_view name_of(Idempotency idempotency) {
    return idempotencies.at(static_cast<std::size_t>(idempotency));
}
std::string_view name_of(Work work) { return works.at(static_cast<std::size_t>(work)); }
std::string_view media_type_of(Body body) {
    return bodies.at(static_cast<std::size_t>(body)).media_type;
}

}  // namespace trackops::http
