#include "platform/audit_log/chain.hpp"

#include <fmt/format.h>

#include "base/hex.hpp"
#include "platform/access/digest.hpp"

namespace trackops::audit_log {
namespace {

constexpr std::int64_t page_rows = 1000;
constexpr Duration check_time = std::chrono::minutes(10);

constexpr sql::Query lock_head{.name = "audit_log.lock_head", .text = R"sql(
    UPDATE audit_head SET position = position + $1 WHERE id = 1 RETURNING position, hash
)sql"};
constexpr sql::Query set_head{.name = "audit_log.set_head", .text = R"sql(
    UPDATE audit_head SET hash = $1 WHERE id = 1
)sql"};
constexpr sql::Query insert_row{.name = "audit_log.append", .text = R"sql(
    INSERT INTO audit_log (position, at, service, actor, address, action, subject, outcome,
                           occurrences, correlation_id, previous_hash, hash)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
)sql"};
constexpr sql::Query select_below{.name = "audit_log.below", .text = R"sql(
    SELECT position, at, service, actor, address, action, subject, outcome, occurrences,
           correlation_id, previous_hash, hash
    FROM audit_log WHERE position < $1 ORDER BY position DESC LIMIT $2
)sql"};
constexpr sql::Query select_behind{.name = "audit_log.behind", .text = R"sql(
    SELECT position, at, service, actor, address, action, subject, outcome, occurrences,
           correlation_id, previous_hash, hash
    FROM audit_log WHERE position > $1 ORDER BY position LIMIT $2
)sql"};
constexpr sql::Query select_head{.name = "audit_log.head",
                                 .text = "SELECT position, hash FROM audit_head WHERE id = 1"};

Row row_of(const sql::Row& row) {
    return {row.integer(0),
            {.at = row.instant(1),
             .service = row.text(2),
             .actor = row.text(3),
             .address = row.text(4),
             .action = row.text(5),
             .subject = row.text(6),
             .outcome = row.text(7),
             .occurrences = row.integer(8),
             .correlation_id = row.text(9)},
            row.text(10),
            row.text(11)};
}

// Collects the faults of a chain that is read from its beginning.
class Checker {
public:
    explicit Checker(audit::InvariantResult& result) : result_(result) {}

    void take(const Row& row) {
        ++result_.checked;
        for (; last_.position + 1 < row.position && missing_ < rows_named_max; ++missing_)
            fault(++last_.position, "is missing");
        last_.position = row.position;
        if (row.hash != hash_of(row.position, row.entry, row.previous_hash))
            fault(row.position, "was changed: it does not have its hash");
        else if (row.previous_hash != last_.hash)
            fault(row.position, "does not follow the row before it");
        last_.hash = row.hash;
    }

    void end(std::int64_t position, const std::string& hash) {
        if (position != last_.position)
            fault(position, fmt::format("is the head, and the last row is {}", last_.position));
        else if (hash != last_.hash)
            fault(position, "is the head with another hash than the last row");
    }

private:
    static constexpr std::int64_t rows_named_max = 1000;
    struct Last {
        std::int64_t position = 0;
        std::string hash;
    };
    void fault(std::int64_t position, std::string_view what) {
        ++result_.violations;
        if (result_.examples.size() < audit::examples_max)
            result_.examples.push_back({.invariant = result_.invariant,
                                        .subject = fmt::format("row {}", position),
                                        .evidence = std::string(what)});
    }
    audit::InvariantResult& result_;
    Last last_;
    std::int64_t missing_ = 0;
};

}  // namespace

std::string hash_of(std::int64_t position, const Entry& entry, const std::string& previous_hash) {
    std::string text = fmt::format("{}\n{}\n{}\n", position, entry.at.micros, entry.occurrences);
    // With their lengths, so that no text can move from one column to the next.
    for (const std::string* part :
         {&entry.service, &entry.actor, &entry.address, &entry.action, &entry.subject,
          &entry.outcome, &entry.correlation_id, &previous_hash})
        text += fmt::format("{}:{}\n", part->size(), *part);
    return hex(access::sha256(text));
}

void append(sql::Transaction& tx, std::span<const Entry> entries) {
    if (entries.empty()) return;
    const auto count = static_cast<std::int64_t>(entries.size());
    const sql::Statement& head = tx.add(lock_head, {count});
    tx.flush();
    std::int64_t position = head.rows().at(0).integer(0) - count;
    std::string hash = head.rows().at(0).text(1);
    std::vector<sql::Params> rows;
    rows.reserve(entries.size());
    for (const Entry& entry : entries) {
        std::string previous = std::move(hash);
        hash = hash_of(++position, entry, previous);
        rows.push_back({position, entry.at, entry.service, entry.actor, entry.address, entry.action,
                        entry.subject, entry.outcome, entry.occurrences, entry.correlation_id,
                        std::move(previous), hash});
    }
    tx.add_batch(insert_row, std::move(rows));
    tx.add(set_head, {hash});
}

std::vector<Row> read_below(sql::Transaction& tx, std::int64_t position, std::size_t max) {
    const sql::Statement& found = tx.add(select_below, {position, static_cast<std::int64_t>(max)});
    tx.flush();
    std::vector<Row> rows;
    for (const sql::Row& row : found.rows()) rows.push_back(row_of(row));
    return rows;
}

audit::InvariantResult check(sql::Database& database) {
    audit::InvariantResult result{
        .invariant = "audit_log_is_unbroken",
        .description = "no row of the audit log was changed, deleted, swapped or put in"};
    Checker checker(result);
    const auto tx = database.begin(sql::Access::read);
    tx->extend(check_time);
    const sql::Statement& head = tx->add(select_head, {});
    tx->flush();
    for (std::int64_t after = 0;;) {
        const sql::Statement& page = tx->add(select_behind, {after, page_rows});
        tx->flush();
        for (const sql::Row& row : page.rows()) {
            checker.take(row_of(row));
            after = row.integer(0);
        }
        if (page.rows().empty()) break;
    }
    if (head.rows().empty())
        checker.end(-1, "");
    else
        checker.end(head.rows()[0].integer(0), head.rows()[0].text(1));
    return result;
}

}  // namespace trackops::audit_log
