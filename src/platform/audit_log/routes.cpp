#include "platform/audit_log/routes.hpp"

#include <limits>

#include "platform/audit_log/chain.hpp"
#include "platform/http/page.hpp"
#include "platform/http/query_reader.hpp"
#include "platform/json/writer.hpp"
#include "platform/sql/batch.hpp"

namespace trackops::audit_log {
namespace {

using http::Reply;
using http::Request;

struct Dependencies {
    sql::Database& database;
};

struct AuditQuery {
    std::size_t limit = http::page_limit_default;
    std::int64_t below = std::numeric_limits<std::int64_t>::max();
};

Result<AuditQuery> read_query(const Request& request) {
    http::QueryReader in(request, {"limit", "cursor"});
    AuditQuery query;
    query.limit = in.limit();
    query.below = in.cursor([](std::string_view text) {
                        const auto position = http::whole_number(text);
                        return position && *position > 0 ? position : std::nullopt;
                    }).value_or(query.below);
    return in.finish(query);
}

void write_row(json::Writer& out, const Row& row) {
    const Entry& entry = row.entry;
    out.begin_object().member("position", row.position).member("at", entry.at);
    out.member("service", entry.service).member("actor", entry.actor);
    if (!entry.address.empty()) out.member("address", entry.address);
    out.member("action", entry.action);
    if (!entry.subject.empty()) out.member("subject", entry.subject);
    out.member("outcome", entry.outcome).member("occurrences", entry.occurrences);
    if (!entry.correlation_id.empty()) out.member("correlationId", entry.correlation_id);
    out.member("hash", row.hash).end_object();
}

void get_audit(const Request& request, const Reply& reply, const Dependencies& dependencies) {
    const auto query = read_query(request);
    if (!query) return reply.problem(query.error());
    try {
        const auto tx = dependencies.database.begin(sql::Access::read);
        auto rows = read_below(*tx, query->below, query->limit + 1);
        std::string next;
        if (rows.size() > query->limit) {
            rows.resize(query->limit);
            next = std::to_string(rows.back().position);
        }
        reply.send(http::page_response(request, next, [&](json::Writer& out) {
            for (const Row& row : rows) write_row(out, row);
        }));
    } catch (const sql::Failure& failure) {
        reply.problem(sql::error_of(failure.fault));
    }
}

constexpr auto rows = std::to_array<http::RouteOf<Dependencies>>({
    http::get_row<Dependencies>("/api/audit", http::Scope::audit_read, http::Answer::json,
                                http::Work::query, get_audit),
});
static_assert(http::is_consistent(rows));

}  // namespace

std::vector<http::Route> routes(sql::Database& database) {
    return http::bound(rows, Dependencies{database});
}

std::vector<http::Route> route_table() { return http::unbound(rows); }

}  // namespace trackops::audit_log
