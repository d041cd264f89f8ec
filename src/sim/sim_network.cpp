#include "sim/sim_network.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "platform/json/reader.hpp"
#include "sim/ledger.hpp"
#include "sim/mutants.hpp"

namespace trackops::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::string_view order_path = "/api/orders/";
constexpr std::size_t uuid_length = 36;

// Returns the order that the path names.
std::optional<Uuid> order_in(std::string_view path) {
    if (!path.starts_with(order_path)) return std::nullopt;
    return Uuid::parse(path.substr(order_path.size(), uuid_length));
}

std::int64_t version_in(const std::string& etag) {
    std::int64_t version = 0;
    if (etag.size() > 2) std::from_chars(etag.data() + 1, etag.data() + etag.size() - 1, version);
    return version;
}

// Returns the parked events of a list as "id STATE, ...".
std::string parked_in(const std::string& body) {
    const auto document = json::Document::parse(body);
    const auto items = document ? document->root().find("items") : std::nullopt;
    if (!items) return "no list: " + body;
    std::string text;
    items->each_element([&](std::size_t, json::Value item) {
        const auto member = [&](std::string_view name) {
            const auto value = item.find(name);
            return value ? value->text().value_or("") : std::string_view();
        };
        text += fmt::format("{} {}, ", member("id"), member("state"));
    });
    return text;
}

}  // namespace

void SimNetwork::call(Service service, http::Request request, bool is_repeatable,
                      std::function<void(const Answer&)> done) {
    // The first answer or the client's timeout calls `done`; later ones find it empty.
    auto once = std::make_shared<std::function<void(const Answer&)>>(std::move(done));
    const Duration way = world_.network.between(Duration(200), milliseconds(5));
    if (!world_.faults.occurs(Fault::request_lost))
        world_.after(way, [=, this] { deliver(service, request, once); });
    // Half of the second requests come to all replicas before one has begun with the first.
    if (is_repeatable && world_.faults.occurs(Fault::request_duplicated)) {
        if (world_.network.happens(0.5)) {
            world_.after(way, [=, this] {
                for (Replica* const replica : replicas_up(service)) serve(*replica, request, once);
            });
        } else {
            world_.after(way + Duration(100), [=, this] { deliver(service, request, once); });
        }
    }
    world_.after(seconds(7), [once] {
        if (const auto hear = std::exchange(*once, nullptr)) hear({});
    });
}

std::vector<Replica*> SimNetwork::replicas_up(Service service) const {
    std::vector<Replica*> up;
    for (const auto& replica : replicas_) {
        if (replica->service() == service && replica->is_up()) up.push_back(replica.get());
    }
    return up;
}

void SimNetwork::deliver(Service service, const http::Request& request, const Done& done) {
    std::vector<Replica*> up = replicas_up(service);
    if (up.empty()) return send_back(Answer{}, done);
    serve(*world_.network.pick(up), request, done);
}

void SimNetwork::serve(Replica& replica, const http::Request& request, const Done& done) {
    const Before before{least_version(replica, request), server_of(replica).commits};
    replica.serve(as_planted(request), [=, this, &replica](const Answer& said) {
        hear(replica, request, before, said);
        send_back(as_planted(said), done);
    });
}

void SimNetwork::send_back(const Answer& answer, const Done& done) {
    if (answer.status == 500) world_.broken("no_defects", "500: " + answer.body);
    if (world_.faults.occurs(Fault::answer_lost)) return;
    world_.after(world_.network.between(Duration(200), milliseconds(3)), [done, answer] {
        if (const auto hear = std::exchange(*done, nullptr)) hear(answer);
    });
}

http::Request SimNetwork::as_planted(http::Request request) {
    if (world_.mutant == nullptr) return request;
    const MutantKind kind = world_.mutant->kind;
    if (kind == MutantKind::correlation_lost) request.context.correlation_id = "lost";
    if (kind == MutantKind::if_match_dropped)
        std::erase_if(request.headers,
                      [](const auto& header) { return header.first == "if-match"; });
    if (const auto key = request.header("idempotency-key"); key && kind == MutantKind::first_body)
        request.body =
            first_bodies_.try_emplace(request.path + std::string(*key), request.body).first->second;
    return request;
}

Answer SimNetwork::as_planted(Answer answer) {
    if (world_.mutant == nullptr) return answer;
    if (world_.mutant->kind == MutantKind::replay_unmarked) answer.is_replayed = false;
    if (world_.mutant->kind == MutantKind::etag_of_last && !answer.etag.empty())
        std::swap(answer.etag, last_etag_);
    return answer;
}

std::int64_t SimNetwork::least_version(Replica& replica, const http::Request& request) const {
    const auto order = request.method == "GET" ? order_in(request.path) : std::nullopt;
    return order ? servers_.shown.least(replica.process().name, *order) : 0;
}

DatabaseServer& SimNetwork::server_of(const Replica& replica) const {
    return replica.service() == Service::inventory ? servers_.stock : servers_.orders;
}

void SimNetwork::hear(Replica& replica, const http::Request& request, const Before& before,
                      const Answer& answer) {
    const std::string& name = replica.process().name;
    if (answer.status == 200 && before.least > 0) {
        // An entry that the cache lost during the request no longer counts.
        const std::int64_t least = std::min(before.least, least_version(replica, request));
        const std::int64_t version = version_in(answer.etag);
        if (version < least)
            world_.broken(
                "a_replica_shows_what_it_knows",
                fmt::format("{} shows version {} of {} after it has made or told {}", name, version,
                            world_.trace_log.name_of(order_in(request.path).value()), least));
    }
    if (answer.status == 201 && request.query_value("wait")) {
        const auto order = order_in(answer.location);
        if (order) servers_.shown.must_show(name, *order, version_in(answer.etag));
    }
    // A list that was read while others wrote may be older than what is stored now.
    if (answer.status == 200 && request.path == "/api/relay/events" &&
        before.commits == server_of(replica).commits)
        check_parked(replica, answer.body);
}

void SimNetwork::check_parked(Replica& replica, const std::string& body) {
    std::string expected;
    for (const ParkedRow& row : read_parked(*server_of(replica).real)) {
        const bool is_refused = !row.reason.empty();
        expected += fmt::format("{} {}, ", row.id.text(), is_refused ? "PARKED" : "WAITING");
        if (is_refused && !servers_.broker.has_refused(row.id))
            world_.broken("parked_events_are_listed", "an event is parked that was never refused");
    }
    if (parked_in(body) == expected) return;
    world_.broken(
        "parked_events_are_listed",
        fmt::format("{} lists {}instead of {}", replica.process().name, parked_in(body), expected));
}

}  // namespace trackops::sim
