// Floor F3 and its variants: the rate at which PostgreSQL alone commits batches, one transaction
// each.
//   bench_floor_postgres place
// hot-sku URL BATCH CONNECTIONS SECONDS
// Prepared statements take binary arrays and are pipelined: each transaction needs one round trip.
#include <cstdint>
#include <cstring>
#include <memory>
#include <random>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <tuple>

#include <libpq-fe.h>

#include "measured.hpp"

namespace {

using floors::SteadyClock;

constexpr Oid uuid_type = 2950, text_type = 25, int4_type = 23, int8_type = 20, jsonb_type = 3802;
constexpr std::string_view payload =
    R"({"v":1,"order_id":"0190a6de-1f3b-7c55-9f4e-2f6b7d1c0a11","customer_id":"5f2b2a3e-58a7-4a3c-9d3e-1b1c2d3e4f50","total_cents":14997,"currency":"USD","items":[{"product_id":"P-1001","quantity":2,"unit_price_cents":6499},{"product_id":"P-2002","quantity":1,"unit_price_cents":1999}],"correlation_id":"0190a6de-1f3b-7c55-9f4e-2f6b7d1c0a99"})";
constexpr std::string_view address[] = {"Ada Lovelace", "12 St James Square", "London",
                                        "LDN",          "SW1Y 4JH",           "GB"};

struct Statement {
    const char* name;
    const char* text;
};
constexpr Statement place_statements[] = {
    {"orders",
     R"(INSERT INTO floors.orders (id, customer_id, status, total_cents, ship_name, street, city, state, postal_code, country)
        SELECT id, customer, 'PENDING', total, a, b, c, d, e, f
        FROM unnest($1::uuid[], $2::uuid[], $3::int8[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[])
             t(id, customer, total, a, b, c, d, e, f))"},
    {"items",
     "INSERT INTO floors.order_items SELECT * FROM unnest($1::uuid[], $2::text[], $3::int4[], "
     "$4::int8[])"},
    {"outbox", R"(INSERT INTO floors.outbox_events (aggregate_id, event_type, payload)
        SELECT id, 'OrderCreated', body FROM unnest($1::uuid[], $2::jsonb[]) t(id, body))"},
    {"sagas", R"(INSERT INTO floors.saga_instances (id, order_id, state)
        SELECT id, of, 'STARTED' FROM unnest($1::uuid[], $2::uuid[]) t(id, of))"},
    {"steps", R"(INSERT INTO floors.saga_steps
        SELECT id, n, word, 'PENDING' FROM unnest($1::uuid[]) id, (VALUES (1, 'reserve'), (2, 'confirm')) v(n, word))"}};
constexpr Statement hot_statements[] = {
    {"reserve",
     R"(WITH asked AS (SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::int4[]) WITH ORDINALITY
                                  t(event, of, id, sku, qty, n)),
        fresh AS (INSERT INTO floors.processed_events (event_id) SELECT event FROM asked ON CONFLICT DO NOTHING RETURNING event_id),
        locked AS (SELECT sku, available FROM floors.inventory_items WHERE sku IN (SELECT DISTINCT sku FROM asked)
                   ORDER BY sku FOR UPDATE),
        decided AS (SELECT asked.*, sum(asked.qty) OVER (PARTITION BY asked.sku ORDER BY asked.n) <= locked.available AS ok
                    FROM asked JOIN fresh ON fresh.event_id = asked.event JOIN locked ON locked.sku = asked.sku),
        held AS (UPDATE floors.inventory_items i SET available = i.available - s.k, reserved = i.reserved + s.k, version = i.version + 1
                 FROM (SELECT sku, sum(qty)::int k FROM decided WHERE ok GROUP BY sku) s WHERE i.sku = s.sku)
        INSERT INTO floors.reservations (id, order_id, sku, qty, status)
        SELECT id, of, sku, qty, CASE WHEN ok THEN 'RESERVED' ELSE 'REJECTED' END FROM decided RETURNING id, status)"}};

void append_big_endian(std::string& out, std::uint64_t value, int bytes) {
    while (bytes-- > 0) out.push_back(static_cast<char>(value >> (8 * bytes)));
}

// A one-dimensional array in PostgreSQL's binary format.
class Array {
public:
    explicit Array(Oid element) : element_(element) {
        append_big_endian(bytes_, 1, 4);  // dimensions
        append_big_endian(bytes_, 0, 4);  // no NULL
        append_big_endian(bytes_, element, 4);
        append_big_endian(bytes_, 0, 4);  // number of elements: done() sets it
        append_big_endian(bytes_, 1, 4);  // index of the first element
    }
    void add(std::string_view text) {
        const bool is_jsonb = element_ == jsonb_type;
        append_big_endian(bytes_, text.size() + (is_jsonb ? 1 : 0), 4);
        if (is_jsonb) bytes_.push_back(1);
        bytes_ += text;
        ++count_;
    }
    void add(std::int64_t number) {
        const int width = element_ == int4_type ? 4 : 8;
        append_big_endian(bytes_, static_cast<std::uint64_t>(width), 4);
        append_big_endian(bytes_, static_cast<std::uint64_t>(number), width);
        ++count_;
    }
    const std::string& done() {
        std::string count;
        append_big_endian(count, count_, 4);
        bytes_.replace(12, 4, count);
        return bytes_;
    }

private:
    std::string bytes_;
    Oid element_;
    std::uint64_t count_ = 0;
};

class Connection {
public:
    Connection(const char* url, std::span<const Statement> statements)
        : connection_(PQconnectdb(url), &PQfinish) {
        expect(PQstatus(connection_.get()) == CONNECTION_OK);
        for (const Statement& statement : statements) {
            PGresult* made =
                PQprepare(connection_.get(), statement.name, statement.text, 0, nullptr);
            expect(PQresultStatus(made) == PGRES_COMMAND_OK);
            PQclear(made);
        }
        expect(PQenterPipelineMode(connection_.get()) == 1);
    }
    void send(const char* statement, std::initializer_list<Array*> parameters) {
        std::vector<const char*> values;
        std::vector<int> lengths;
        for (Array* parameter : parameters) {
            values.push_back(parameter->done().data());
            lengths.push_back(static_cast<int>(parameter->done().size()));
        }
        const std::vector<int> formats(values.size(), 1);
        expect(PQsendQueryPrepared(connection_.get(), statement, static_cast<int>(values.size()),
                                   values.data(), lengths.data(), formats.data(), 1) == 1);
    }
    // Without BEGIN, all statements before a Sync are one transaction.
    void commit() {
        expect(PQpipelineSync(connection_.get()) == 1);
        for (;;) {
            PGresult* result = PQgetResult(connection_.get());
            if (result == nullptr) continue;  // the end of the results of one statement
            const ExecStatusType status = PQresultStatus(result);
            PQclear(result);
            if (status == PGRES_PIPELINE_SYNC) return;
            expect(status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK);
        }
    }

private:
    void expect(bool is_well) const {
        if (!is_well) throw std::runtime_error(PQerrorMessage(connection_.get()));
    }
    std::unique_ptr<PGconn, decltype(&PQfinish)> connection_;
};

// Ascending, like the UUIDv7s of one process.
std::string next_id() {
    thread_local std::mt19937_64 random{std::random_device{}()};
    thread_local std::uint64_t count = 0;
    const auto now = std::chrono::duration_cast<std::chrono::microseconds>(
        std::chrono::system_clock::now().time_since_epoch());
    std::string id;
    append_big_endian(id, static_cast<std::uint64_t>(now.count()) << 12 | (++count & 0xfff), 8);
    append_big_endian(id, random(), 8);
    return id;
}

void place(Connection& connection, int batch) {
    static const std::string customer = next_id();
    Array ids(uuid_type), customers(uuid_type), totals(int8_type), item_orders(uuid_type),
        skus(text_type), quantities(int4_type), amounts(int8_type), payloads(jsonb_type),
        sagas(uuid_type);
    std::vector<Array> lines(6, Array(text_type));
    for (int i = 0; i < batch; ++i) {
        const std::string id = next_id();
        ids.add(id);
        customers.add(customer);
        totals.add(14997);
        for (std::size_t line = 0; line < lines.size(); ++line) lines[line].add(address[line]);
        for (const auto& [sku, quantity, amount] :
             {std::tuple{"P-1001", 2, 6499}, std::tuple{"P-2002", 1, 1999}}) {
            item_orders.add(id);
            skus.add(sku);
            quantities.add(quantity);
            amounts.add(amount);
        }
        payloads.add(payload);
        sagas.add(next_id());
    }
    connection.send("orders", {&ids, &customers, &totals, &lines[0], &lines[1], &lines[2],
                               &lines[3], &lines[4], &lines[5]});
    connection.send("items", {&item_orders, &skus, &quantities, &amounts});
    connection.send("outbox", {&ids, &payloads});
    connection.send("sagas", {&sagas, &ids});
    connection.send("steps", {&sagas});
    connection.commit();
}

void reserve(Connection& connection, int batch) {
    Array events(uuid_type), orders(uuid_type), ids(uuid_type), skus(text_type),
        quantities(int4_type);
    for (int i = 0; i < batch; ++i) {
        for (Array* column : {&events, &orders, &ids}) column->add(next_id());
        skus.add("SKU-0");
        quantities.add(1);
    }
    connection.send("reserve", {&events, &orders, &ids, &skus, &quantities});
    connection.commit();
}

void measure(char** arguments) {
    const bool places = std::string_view(arguments[1]) == "place";
    const int batch = std::stoi(arguments[3]);
    std::vector<std::unique_ptr<Connection>> connections;
    for (int i = 0; i < std::stoi(arguments[4]); ++i) {
        connections.push_back(places ? std::make_unique<Connection>(arguments[2], place_statements)
                                     : std::make_unique<Connection>(arguments[2], hot_statements));
    }
    std::vector<std::vector<double>> times(connections.size());
    const auto start = SteadyClock::now();
    const auto end =
        start + std::chrono::milliseconds(static_cast<int>(std::stod(arguments[5]) * 1e3));
    {
        std::vector<std::jthread> threads;
        for (std::size_t i = 0; i < connections.size(); ++i) {
            threads.emplace_back([&, i] {
                while (SteadyClock::now() < end) {
                    const auto begun = SteadyClock::now();
                    places ? place(*connections[i], batch) : reserve(*connections[i], batch);
                    times[i].push_back(floors::ms_since(begun));
                }
            });
        }
    }
    const double wall_ms = floors::ms_since(start);
    for (std::size_t i = 1; i < times.size(); ++i)
        times[0].insert(times[0].end(), times[i].begin(), times[i].end());
    floors::print(std::move(times[0]), batch, wall_ms);
}

}  // namespace

int main(int count, char** arguments) {
    if (count != 6) {
        fmt::print(stderr, "bench_floor_postgres place|hot-sku URL BATCH CONNECTIONS SECONDS\n");
        return 2;
    }
    measure(arguments);
}
