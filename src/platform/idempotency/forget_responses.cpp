#include "platform/idempotency/forget_responses.hpp"

#include <vector>

namespace trackops::idempotency {
namespace {

constexpr std::int64_t page_rows_max = 2'000;

// A body that does not contain $3, or was recorded after $5, is not sent.
constexpr sql::Query read_bodies{.name = "idempotency.bodies",
                                 .text = R"sql(
    SELECT scope, idempotency_key, CASE WHEN instr(body, $3) > 0 AND coalesce(recorded_at <= $5, true) THEN body END FROM idempotency_keys
    WHERE (scope, idempotency_key) > ($1, $2) ORDER BY scope, idempotency_key LIMIT $4
)sql",
                                 .postgres = R"sql(
    SELECT scope, idempotency_key, CASE WHEN strpos(body, $3) > 0 AND coalesce(recorded_at <= $5, true) THEN body END FROM idempotency_keys
    WHERE (scope, idempotency_key) > ($1, $2) ORDER BY scope, idempotency_key LIMIT $4
)sql"};

constexpr sql::Query delete_response{
    .name = "idempotency.delete",
    .text = "DELETE FROM idempotency_keys WHERE scope = $1 AND idempotency_key = $2"};

}  // namespace

std::size_t forget_responses(sql::Database& database, std::string_view part, Instant until,
                             const std::function<bool(const RecordedBody&)>& is_meant) {
    std::size_t deleted = 0;
    std::string scope;
    std::string key;
    for (;;) {
        std::vector<sql::Params> meant;
        std::size_t rows = 0;
        {
            const auto tx = database.begin(sql::Access::read);
            const sql::Statement& page =
                tx->add(read_bodies, {scope, key, part, page_rows_max, until});
            tx->commit();
            rows = page.rows().size();
            for (const sql::Row& row : page.rows()) {
                scope = row.text(0);
                key = row.text(1);
                if (!row.is_null(2) && is_meant({scope, key, row.text(2)}))
                    meant.push_back({scope, key});
            }
        }
        if (!meant.empty()) {
            deleted += meant.size();
            const auto tx = database.begin(sql::Access::write);
            tx->add_batch(delete_response, std::move(meant));
            tx->commit();
        }
        if (rows < static_cast<std::size_t>(page_rows_max)) return deleted;
    }
}

}  // namespace trackops::idempotency
