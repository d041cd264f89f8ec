#include "platform/idempotency/rewrite_responses.hpp"

#include <utility>
#include <vector>

namespace trackops::idempotency {
namespace {

constexpr std::int64_t page_rows_max = 2'000;

// A body that does not contain $3 is not sent.
constexpr sql::Query read_bodies{.name = "idempotency.bodies",
                                 .text = R"sql(
    SELECT scope, idempotency_key, CASE WHEN instr(body, $3) > 0 THEN body END FROM idempotency_keys
    WHERE (scope, idempotency_key) > ($1, $2) ORDER BY scope, idempotency_key LIMIT $4
)sql",
                                 .postgres = R"sql(
    SELECT scope, idempotency_key, CASE WHEN strpos(body, $3) > 0 THEN body END FROM idempotency_keys
    WHERE (scope, idempotency_key) > ($1, $2) ORDER BY scope, idempotency_key LIMIT $4
)sql"};

// The response of an expired key may have been replaced by another one meanwhile.
constexpr sql::Query replace_body{.name = "idempotency.replace_body", .text = R"sql(
    UPDATE idempotency_keys SET body = $4 WHERE scope = $1 AND idempotency_key = $2 AND body = $3
)sql"};

}  // namespace

std::size_t rewrite_responses(
    sql::Database& database, std::string_view part,
    const std::function<std::optional<std::string>(const RecordedBody&)>& rewrite) {
    std::size_t changed = 0;
    std::string scope;
    std::string key;
    for (;;) {
        std::vector<sql::Params> replaced;
        std::size_t rows = 0;
        {
            const auto tx = database.begin(sql::Access::read);
            const sql::Statement& page = tx->add(read_bodies, {scope, key, part, page_rows_max});
            tx->commit();
            rows = page.rows().size();
            for (const sql::Row& row : page.rows()) {
                scope = row.text(0);
                key = row.text(1);
                if (row.is_null(2)) continue;
                const std::string body = row.text(2);
                if (auto other = rewrite({scope, key, body}))
                    replaced.push_back({scope, key, body, *std::move(other)});
            }
        }
        if (!replaced.empty()) {
            changed += replaced.size();
            const auto tx = database.begin(sql::Access::write);
            tx->add_batch(replace_body, std::move(replaced));
            tx->commit();
        }
        if (rows < static_cast<std::size_t>(page_rows_max)) return changed;
    }
}

}  // namespace trackops::idempotency
