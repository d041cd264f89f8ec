// A database with an outbox and functions to fill it. Only tests include this.
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "platform/backends/open_database.hpp"
#include "platform/idempotency/migrations.hpp"
#include "platform/outbox/event.hpp"
#include "platform/outbox/migrations.hpp"
#include "platform/relay/source.hpp"
#include "platform/sql/migrations.hpp"
#include "platform/telemetry/metrics.hpp"
#include "testing/databases.hpp"
#include "testing/fakes.hpp"

namespace trackops::outbox {

inline constexpr Instant noon{1'700'000'000'000'000};

class OutboxFixture {
public:
    explicit OutboxFixture(std::string_view kind) : fresh_(kind) {
        // Long timeouts, because a test that holds a transaction open may be slow on a busy
        // machine.
        database = backends::open_database(fresh_.url(),
                                           {.connections_max = 16,
                                            .lock_timeout = std::chrono::seconds(30),
                                            .idle_in_transaction_timeout = std::chrono::minutes(1)},
                                           metrics);
        sql::migrate(*database, "outbox", migrations);
        sql::migrate(*database, "idempotency", idempotency::migrations);
    }

    // Returns an event with the id number `id`. A letter names its key.
    static Event event(char key, std::int64_t sequence, std::uint64_t id, Instant at = noon) {
        Event event;
        event.id = uuid_v7(noon, 0, id);
        event.type = "ORDER_CREATED";
        event.key = key_of(key);
        event.sequence = sequence;
        event.payload = fmt::format(R"({{"n": {}}})", sequence);
        event.correlation_id = "c";
        event.causation_id = "p";
        event.occurred_at = at;
        return event;
    }
    static Uuid key_of(char key) { return uuid_v7(noon, 1, static_cast<std::uint64_t>(key)); }

    // Commits events given as "a1 a2 b1": each is a key and a sequence. Their ids ascend.
    void commit(std::string_view events) {
        const auto tx = database->begin(sql::Access::write);
        append(*tx, parse(events));
        tx->commit();
    }
    std::vector<Event> parse(std::string_view events) {
        std::vector<Event> parsed;
        for (std::size_t i = 0; i + 1 < events.size(); i += 3) {
            parsed.push_back(event(events[i], events[i + 1] - '0', ++ids_));
        }
        return parsed;
    }

    // Returns the events in the same notation: "a1 a2 b1".
    static std::string names(const std::vector<StoredEvent>& events) {
        std::string text;
        for (const StoredEvent& stored : events) {
            if (!text.empty()) text += ' ';
            text += name(stored.event);
        }
        return text;
    }
    static std::string name(const Event& event) {
        return fmt::format("{}{}", static_cast<char>(event.key.bytes[15]), event.sequence);
    }
    std::int64_t number(std::string_view select) {
        const auto tx = database->begin(sql::Access::read);
        const sql::Statement& found = tx->add({.name = "test.number", .text = select}, {});
        tx->commit();
        return found.rows().at(0).integer(0);
    }

    void execute(std::string_view statement) {
        const auto tx = database->begin(sql::Access::write);
        tx->add({.name = "test.execute", .text = statement}, {});
        tx->commit();
    }
    // On PostgreSQL, drops all partitions, so that a test works with small ones or with the
    // overflow alone.
    void leave_only_the_overflow() {
        const auto tx = database->begin(sql::Access::write);
        const sql::Statement& all = tx->add(
            {.name = "test.partitions", .text = "SELECT partition::text FROM outbox_partitions"},
            {});
        tx->flush();
        for (const sql::Row& row : all.rows()) {
            tx->add({.name = "test.drop", .text = "DROP TABLE " + row.text(0)}, {});
        }
        tx->commit();
    }

    const std::string& url() const { return fresh_.url(); }

private:
    testing::FreshDatabase fresh_;

public:
    telemetry::Registry metrics;
    std::unique_ptr<sql::Database> database;

private:
    std::uint64_t ids_ = 0;
};

}  // namespace trackops::outbox
