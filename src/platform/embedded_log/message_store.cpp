#include "platform/embedded_log/message_store.hpp"

#include <algorithm>
#include <stdexcept>

#include "platform/embedded_log/migrations.hpp"
#include "platform/sql/migrations.hpp"
#include "platform/sqlite/sqlite.hpp"

namespace trackops::bus {
namespace {

// No other process may use the file, so a writer waits at most for the burst of another thread.
constexpr Duration lock_timeout = std::chrono::seconds(1);
constexpr std::size_t read_bytes_max = 8 * 1024 * 1024;
// Messages a query; it keeps the result of a query for large messages small.
constexpr std::size_t read_step = 64;

constexpr sql::Query load_partitions{.name = "bus.load_partitions", .text = R"sql(
    SELECT id, topic, number,
           COALESCE((SELECT MIN(position) FROM messages WHERE partition_id = partitions.id), 0),
           COALESCE((SELECT MAX(position) + 1 FROM messages WHERE partition_id = partitions.id), 0)
    FROM partitions ORDER BY topic, number
)sql"};
constexpr sql::Query load_commits{.name = "bus.load_commits", .text = R"sql(
    SELECT group_name, partition_id, next_position FROM commits
)sql"};
constexpr sql::Query insert_partition{.name = "bus.insert_partition", .text = R"sql(
    INSERT INTO partitions (topic, number) VALUES ($1, $2) ON CONFLICT DO NOTHING
)sql"};
constexpr sql::Query insert_message{.name = "bus.insert_message", .text = R"sql(
    INSERT INTO messages (partition_id, position, taken_at, key, value, headers)
    VALUES ($1, $2, $3, $4, $5, $6)
)sql"};
constexpr sql::Query save_commit{.name = "bus.save_commit", .text = R"sql(
    INSERT INTO commits (group_name, partition_id, next_position) VALUES ($1, $2, $3)
    ON CONFLICT (group_name, partition_id) DO UPDATE SET next_position = excluded.next_position
)sql"};
constexpr sql::Query read_messages{.name = "bus.read_messages", .text = R"sql(
    SELECT position, taken_at, key, value, headers FROM messages
    WHERE partition_id = $1 AND position >= $2 ORDER BY position LIMIT $3
)sql"};
constexpr sql::Query drop_messages{.name = "bus.drop_messages", .text = R"sql(
    DELETE FROM messages WHERE partition_id = $1 AND position < $2 AND taken_at < $3
       AND position < $4 + (SELECT MIN(position) FROM messages WHERE partition_id = $1)
)sql"};
constexpr sql::Query load_first{.name = "bus.load_first", .text = R"sql(
    SELECT COALESCE(MIN(position), 0) FROM messages WHERE partition_id = $1
)sql"};

void append_text(std::string& out, std::string_view text) {
    const auto size = static_cast<std::uint32_t>(text.size());
    for (int shift = 0; shift < 32; shift += 8) out += static_cast<char>(size >> shift & 0xff);
    out += text;
}

std::string_view read_text(std::string_view& in) {
    if (in.size() < 4) throw std::runtime_error("bus: the headers of a stored message are cut");
    std::size_t size = 0;
    for (std::size_t i = 0; i < 4; ++i) {
        size |= std::size_t{static_cast<unsigned char>(in[i])} << (8 * i);
    }
    in.remove_prefix(4);
    if (in.size() < size) throw std::runtime_error("bus: the headers of a stored message are cut");
    const std::string_view text = in.substr(0, size);
    in.remove_prefix(size);
    return text;
}

// Names and values alternate, each behind its length. Headers are bytes, so no text format fits.
std::string encode(const std::vector<Header>& headers) {
    std::string out;
    for (const Header& header : headers) {
        append_text(out, header.name);
        append_text(out, header.value);
    }
    return out;
}

std::vector<Header> decode(std::string_view in) {
    std::vector<Header> headers;
    while (!in.empty()) {
        std::string name(read_text(in));
        headers.push_back({std::move(name), std::string(read_text(in))});
    }
    return headers;
}

}  // namespace

MessageStore::MessageStore(const std::string& folder, telemetry::Registry& metrics)
    : lock_(folder),
      database_(sql::open_sqlite(folder + "/bus.db",
                                 {.connections_max = 4, .lock_timeout = lock_timeout}, metrics)) {
    sql::migrate(*database_, "bus", embedded_log::migrations);
}

std::vector<StoredPartition> MessageStore::partitions() {
    const auto tx = database_->begin(sql::Access::read);
    const auto& found = tx->add(load_partitions, {});
    tx->flush();
    std::vector<StoredPartition> all;
    for (const sql::Row& row : found.rows()) {
        all.push_back({row.integer(0), row.text(1), static_cast<std::int32_t>(row.integer(2)),
                       row.integer(3), row.integer(4)});
    }
    return all;
}

std::vector<StoredCommit> MessageStore::commits() {
    const auto tx = database_->begin(sql::Access::read);
    const auto& found = tx->add(load_commits, {});
    tx->flush();
    std::vector<StoredCommit> all;
    for (const sql::Row& row : found.rows()) {
        all.push_back({row.text(0), row.integer(1), row.integer(2)});
    }
    return all;
}

void MessageStore::add_topic(std::string_view topic, std::int32_t partitions) {
    std::vector<sql::Params> rows;
    rows.reserve(static_cast<std::size_t>(partitions));
    for (std::int32_t number = 0; number < partitions; ++number) rows.push_back({topic, number});
    const auto tx = database_->begin(sql::Access::write);
    tx->add_batch(insert_partition, std::move(rows));
    tx->commit();
}

void MessageStore::append(std::span<const StoredMessage> messages,
                          std::span<const StoredCommit> commits) {
    std::vector<sql::Params> rows;
    rows.reserve(messages.size());
    for (const auto& [partition_id, message] : messages) {
        rows.push_back({partition_id, message->offset, message->timestamp.micros,
                        sql::Bytes{message->key}, sql::Bytes{message->value},
                        sql::Bytes{encode(message->headers)}});
    }
    std::vector<sql::Params> handled;
    handled.reserve(commits.size());
    for (const StoredCommit& commit : commits) {
        handled.push_back({commit.group, commit.partition_id, commit.next});
    }
    const auto tx = database_->begin(sql::Access::write);
    tx->add_batch(insert_message, std::move(rows));
    tx->add_batch(save_commit, std::move(handled));
    tx->commit();
}

std::vector<Message> MessageStore::read(const StoredPartition& partition, std::int64_t from,
                                        std::size_t max) {
    std::vector<Message> messages;
    const auto tx = database_->begin(sql::Access::read);
    for (std::size_t bytes = 0; messages.size() < max && bytes < read_bytes_max;) {
        const std::size_t step = std::min(max - messages.size(), read_step);
        const auto& found =
            tx->add(read_messages, {partition.id, from, static_cast<std::int64_t>(step)});
        tx->flush();
        for (const sql::Row& row : found.rows()) {
            messages.push_back({partition.topic, partition.number, row.integer(0), row.bytes(2),
                                row.bytes(3), decode(row.bytes(4)), Instant{row.integer(1)}});
            bytes += row.bytes(2).size() + row.bytes(3).size() + row.bytes(4).size();
        }
        if (found.rows().size() < step) break;
        from = messages.back().offset + 1;
    }
    return messages;
}

Dropped MessageStore::drop(std::span<const DropLimit> limits, Instant before, std::int64_t max) {
    Dropped dropped;
    const auto tx = database_->begin(sql::Access::write);
    for (const auto& [partition_id, below] : limits) {
        if (max <= 0) break;
        const auto& gone = tx->add(drop_messages, {partition_id, below, before.micros, max});
        const auto& first = tx->add(load_first, {partition_id});
        tx->flush();
        max -= static_cast<std::int64_t>(gone.affected());
        if (gone.affected() > 0)
            dropped.first.push_back({partition_id, first.rows()[0].integer(0)});
    }
    tx->commit();
    dropped.more = max <= 0;
    return dropped;
}

void MessageStore::ping() { database_->ping(); }

}  // namespace trackops::bus
