// The floor on SQLite: inserts orders in WAL mode with synchronous=FULL, one transaction a batch.
//   bench_floor_sqlite FILE BATCH SECONDS
#include <cstdint>
#include <random>
#include <stdexcept>
#include <string>

#include <sqlite3.h>

#include "measured.hpp"

namespace {

using floors::SteadyClock;

constexpr const char* schema = R"(
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA foreign_keys = ON;
    PRAGMA cache_size = -65536;
    CREATE TABLE orders (id BLOB PRIMARY KEY, customer_id BLOB NOT NULL, status TEXT NOT NULL, total_cents INT NOT NULL, version INT NOT NULL,
        created_at INT, updated_at INT, ship_name TEXT, street TEXT, city TEXT, state TEXT, postal_code TEXT, country TEXT) WITHOUT ROWID;
    CREATE INDEX orders_customer ON orders (customer_id, created_at);
    CREATE TABLE order_items (order_id BLOB NOT NULL REFERENCES orders, product_id TEXT NOT NULL, qty INT, unit_cents INT,
        PRIMARY KEY (order_id, product_id)) WITHOUT ROWID;
    CREATE TABLE outbox_events (id INTEGER PRIMARY KEY, aggregate_id BLOB, event_type TEXT, payload TEXT, created_at INT,
        processed INT NOT NULL DEFAULT 0);
    CREATE INDEX outbox_todo ON outbox_events (id) WHERE NOT processed;
    CREATE TABLE saga_instances (id BLOB PRIMARY KEY, order_id BLOB, state TEXT, version INT, created_at INT, updated_at INT) WITHOUT ROWID;
    CREATE TABLE saga_steps (saga_id BLOB REFERENCES saga_instances, step INT, name TEXT, status TEXT, PRIMARY KEY (saga_id, step))
        WITHOUT ROWID;
)";
constexpr const char* payload =
    R"({"v":1,"order_id":"0190a6de-1f3b-7c55-9f4e-2f6b7d1c0a11","customer_id":"5f2b2a3e-58a7-4a3c-9d3e-1b1c2d3e4f50","total_cents":14997,"currency":"USD","items":[{"product_id":"P-1001","quantity":2,"unit_price_cents":6499},{"product_id":"P-2002","quantity":1,"unit_price_cents":1999}],"correlation_id":"0190a6de-1f3b-7c55-9f4e-2f6b7d1c0a99"})";

struct Id {
    // Stored in big endian, so that the ids ascend bytewise.
    std::uint64_t high, low;
};

class Database {
public:
    explicit Database(const char* file) {
        expect(sqlite3_open(file, &handle_) == SQLITE_OK);
        expect(sqlite3_exec(handle_, schema, nullptr, nullptr, nullptr) == SQLITE_OK);
    }
    ~Database() {
        while (sqlite3_stmt* statement = sqlite3_next_stmt(handle_, nullptr))
            sqlite3_finalize(statement);
        sqlite3_close(handle_);
    }
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    sqlite3_stmt* prepare(const char* text) {
        sqlite3_stmt* statement = nullptr;
        expect(sqlite3_prepare_v3(handle_, text, -1, SQLITE_PREPARE_PERSISTENT, &statement,
                                  nullptr) == SQLITE_OK);
        return statement;
    }
    template <class... Values>
    void run(sqlite3_stmt* statement, const Values&... values) {
        int place = 0;
        (bind(statement, ++place, values), ...);
        expect(sqlite3_step(statement) == SQLITE_DONE);
        sqlite3_reset(statement);
    }

private:
    static void bind(sqlite3_stmt* statement, int place, const Id& id) {
        sqlite3_bind_blob(statement, place, &id, sizeof id, SQLITE_STATIC);
    }
    static void bind(sqlite3_stmt* statement, int place, const char* text) {
        sqlite3_bind_text(statement, place, text, -1, SQLITE_STATIC);
    }
    static void bind(sqlite3_stmt* statement, int place, int number) {
        sqlite3_bind_int(statement, place, number);
    }
    void expect(bool is_well) const {
        if (!is_well) throw std::runtime_error(sqlite3_errmsg(handle_));
    }
    sqlite3* handle_ = nullptr;
};

void measure(const char* file, int batch, double seconds) {
    Database database(file);
    sqlite3_stmt* const begin = database.prepare("BEGIN IMMEDIATE");
    sqlite3_stmt* const commit = database.prepare("COMMIT");
    sqlite3_stmt* const order = database.prepare(
        "INSERT INTO orders VALUES (?1, ?2, 'PENDING', 14997, 1, 1700000000, 1700000000, 'Ada "
        "Lovelace', '12 St James Square', "
        "'London', 'LDN', 'SW1Y 4JH', 'GB')");
    sqlite3_stmt* const item = database.prepare("INSERT INTO order_items VALUES (?1, ?2, 2, 6499)");
    sqlite3_stmt* const event = database.prepare(
        "INSERT INTO outbox_events (aggregate_id, event_type, payload, created_at) VALUES (?1, "
        "'OrderCreated', ?2, 1700000000)");
    sqlite3_stmt* const saga = database.prepare(
        "INSERT INTO saga_instances VALUES (?1, ?2, 'STARTED', 1, 1700000000, 1700000000)");
    sqlite3_stmt* const step =
        database.prepare("INSERT INTO saga_steps VALUES (?1, ?2, ?3, 'PENDING')");
    std::mt19937_64 random{1};
    std::uint64_t count = 0;
    const auto next_id = [&] { return Id{__builtin_bswap64(++count), random()}; };
    const Id customer = next_id();
    std::vector<double> times;
    const auto start = SteadyClock::now();
    while (floors::ms_since(start) < seconds * 1e3) {
        const auto begun = SteadyClock::now();
        database.run(begin);
        for (int i = 0; i < batch; ++i) {
            const Id order_id = next_id(), saga_id = next_id();
            database.run(order, order_id, customer);
            for (const char* sku : {"P-1001", "P-2002"}) database.run(item, order_id, sku);
            database.run(event, order_id, payload);
            database.run(saga, saga_id, order_id);
            database.run(step, saga_id, 1, "reserve");
            database.run(step, saga_id, 2, "confirm");
        }
        database.run(commit);
        times.push_back(floors::ms_since(begun));
    }
    floors::print(std::move(times), batch, floors::ms_since(start));
}

}  // namespace

int main(int count, char** arguments) {
    if (count != 4) {
        fmt::print(stderr, "bench_floor_sqlite FILE BATCH SECONDS\n");
        return 2;
    }
    measure(arguments[1], std::stoi(arguments[2]), std::stod(arguments[3]));
}
