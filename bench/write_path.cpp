// Measures orders and reservations a second through the product's write path: use case, store,
// driver.
//   bench_write_path --database URL --what place
// hot-sku --batch N --seconds S --connections C
// The database must be empty. Prints one JSON line. A difference between the number of successful
// commands and the rows of the tables is a failure.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <stdexcept>
#include <thread>

#include <fmt/format.h>

#include "bench/sample_order.hpp"
#include "inventory/adapters/sql_item_store.hpp"
#include "inventory/adapters/sql_reservation_store.hpp"
#include "inventory/app/handle_order_events.hpp"
#include "inventory/app/write_items.hpp"
#include "inventory/migrations.hpp"
#include "order/adapters/order_json.hpp"
#include "order/adapters/sql_order_store.hpp"
#include "order/app/place_orders.hpp"
#include "order/migrations.hpp"
#include "platform/backends/open_database.hpp"
#include "platform/idempotency/migrations.hpp"
#include "platform/outbox/migrations.hpp"
#include "platform/runtime/system_clock.hpp"
#include "platform/sql/migrations.hpp"
#include "platform/telemetry/metrics.hpp"

namespace trackops {
namespace {

using bench::trace_of;
using bench::two_lines;
using SteadyClock = std::chrono::steady_clock;
using Milliseconds = std::chrono::duration<double, std::milli>;

constexpr std::string_view hot_sku = "SKU-0";
constexpr std::int64_t stock = 1'000'000'000;

struct Arguments {
    std::string database;
    std::string what;
    std::size_t batch = 128;
    double seconds = 8;
    std::size_t connections = 2;
};

Arguments arguments_of(std::span<char* const> words) {
    Arguments arguments;
    const std::map<std::string_view, std::function<void(const std::string&)>> options = {
        {"--database", [&](const std::string& word) { arguments.database = word; }},
        {"--what", [&](const std::string& word) { arguments.what = word; }},
        {"--batch", [&](const std::string& word) { arguments.batch = std::stoul(word); }},
        {"--seconds", [&](const std::string& word) { arguments.seconds = std::stod(word); }},
        {"--connections",
         [&](const std::string& word) { arguments.connections = std::stoul(word); }}};
    for (std::size_t i = 0; i < words.size(); i += 2) {
        const auto option = options.find(words[i]);
        if (option == options.end() || i + 1 == words.size())
            throw std::invalid_argument(fmt::format("{}: no such option, or no value", words[i]));
        option->second(words[i + 1]);
    }
    if (arguments.database.empty() || arguments.batch == 0 || arguments.connections == 0 ||
        (arguments.what != "place" && arguments.what != "hot-sku"))
        throw std::invalid_argument("--database URL --what place|hot-sku are needed");
    return arguments;
}

template <class T>
void expect_all(const std::vector<Result<T>>& answers) {
    for (const Result<T>& answer : answers) {
        if (!answer) throw std::runtime_error("refused: " + answer.error().detail);
    }
}

// The rows that a table must have after `done` successful orders or reservations.
struct Expectation {
    std::string_view what;
    std::string_view count;
    std::int64_t per_one;
};

constexpr Expectation of_orders[] = {{"orders", "SELECT count(*) FROM orders", 1},
                                     {"lines", "SELECT count(*) FROM order_items", 2},
                                     {"sagas", "SELECT count(*) FROM saga_instances", 1},
                                     {"saga steps", "SELECT count(*) FROM saga_steps", 2},
                                     {"history", "SELECT count(*) FROM order_history", 1},
                                     {"events", "SELECT count(*) FROM outbox_events", 1},
                                     {"orders with an event",
                                      "SELECT count(*) FROM (SELECT id FROM orders INTERSECT "
                                      "SELECT aggregate_id FROM outbox_events) AS both_sides",
                                      1}};

constexpr Expectation of_reservations[] = {
    {"reservations", "SELECT count(*) FROM inventory_reservations WHERE status = 'RESERVED'", 1},
    {"units in reservations",
     "SELECT CAST(sum(quantity) AS bigint) FROM inventory_reservation_items", 1},
    {"units reserved of the item", "SELECT reserved FROM inventory_items", 1},
    {"messages handled",
     "SELECT count(*) FROM processed_events WHERE consumer = 'inventory-service'", 1},
    {"replies", "SELECT count(*) FROM outbox_events WHERE type = 'INVENTORY_RESERVED'", 1},
    {"orders with a reply", "SELECT count(DISTINCT aggregate_id) FROM outbox_events", 1}};

void check(sql::Database& database, std::span<const Expectation> expectations, std::int64_t done) {
    for (const auto& [what, count, per_one] : expectations) {
        const auto tx = database.begin(sql::Access::read);
        const sql::Statement& counted = tx->add({"bench.check", count}, {});
        tx->commit();
        const std::int64_t found = counted.rows().at(0).integer(0);
        if (found != done * per_one)
            throw std::runtime_error(
                fmt::format("{}: {} instead of {}", what, found, done * per_one));
    }
}

struct Measured {
    std::vector<double> batches_ms;
    double wall_ms = 0;
};

// Runs one thread per connection. Each executes batches of its own, one after the other, until the
// time is up.
Measured measure(const Arguments& arguments,
                 const std::function<std::function<void()>()>& make_batch) {
    std::vector<Measured> all(arguments.connections);
    std::exception_ptr fault;
    std::atomic<bool> has_failed = false;
    const auto start = SteadyClock::now();
    {
        std::vector<std::jthread> threads;
        for (Measured& mine : all) {
            threads.emplace_back([&, batch = make_batch()] {
                try {
                    while (Milliseconds(SteadyClock::now() - start).count() <
                               arguments.seconds * 1e3 &&
                           !has_failed) {
                        const auto begun = SteadyClock::now();
                        batch();
                        mine.batches_ms.push_back(Milliseconds(SteadyClock::now() - begun).count());
                    }
                } catch (...) {
                    if (!has_failed.exchange(true)) fault = std::current_exception();
                }
            });
        }
    }
    if (fault) std::rethrow_exception(fault);
    Measured sum{{}, Milliseconds(SteadyClock::now() - start).count()};
    for (const Measured& mine : all)
        sum.batches_ms.insert(sum.batches_ms.end(), mine.batches_ms.begin(), mine.batches_ms.end());
    std::ranges::sort(sum.batches_ms);
    return sum;
}

// The parts of the product, built as its modules build them.
struct Product {
    explicit Product(const Arguments& arguments)
        : database(backends::open_database(arguments.database,
                                           {.connections_max = arguments.connections,
                                            .statement_timeout = std::chrono::minutes(2),
                                            .transaction_timeout = std::chrono::minutes(2)},
                                           metrics)) {
        sql::migrate(*database, "outbox", outbox::migrations);
        sql::migrate(*database, "idempotency", idempotency::migrations);
    }
    telemetry::Registry metrics;
    runtime::SystemClock clock;
    runtime::RandomIds ids{clock};
    std::unique_ptr<sql::Database> database;
};

Measured place(Product& product, const Arguments& arguments) {
    sql::migrate(*product.database, "order", order::migrations);
    const auto store =
        order::adapters::make_sql_order_store(*product.database, product.clock, product.ids,
                                              product.metrics, order::adapters::recorded_response);
    const order::domain::CustomerId customer{product.ids.next().text()};
    return measure(arguments, [&] {
        std::vector<order::app::PlaceOrder> commands;
        for (std::size_t i = 0; i < arguments.batch; ++i)
            commands.push_back(two_lines(product.ids, customer));
        return [&product, &store, commands] {
            expect_all(order::app::place_orders(commands, *store, product.clock, product.ids, {}));
        };
    });
}

Measured reserve(Product& product, const Arguments& arguments) {
    sql::migrate(*product.database, "inventory", inventory::migrations);
    const auto items = inventory::adapters::make_item_store(*product.database);
    const inventory::app::ItemWrite item{
        .id = product.ids.next(),
        .sku = std::string(hot_sku),
        .command = inventory::domain::CreateItem{.patch = {.name = "hot"}, .on_hand = stock}};
    expect_all(inventory::app::write_items({&item, 1}, *items, product.clock));
    const auto store =
        inventory::adapters::make_reservation_store(*product.database, product.metrics);
    return measure(arguments, [&] {
        const Trace trace = trace_of(product.ids);
        return [&product, &arguments, store = store.get(), trace] {
            std::vector<inventory::app::IncomingMessage> messages(arguments.batch);
            for (auto& message : messages) {
                message = {product.ids.next(),
                           {inventory::domain::OrderId(product.ids.next()),
                            inventory::domain::ReservationCommand::create,
                            {{std::string(hot_sku), 1}}},
                           trace};
            }
            expect_all(
                inventory::app::handle_order_events(messages, *store, product.clock, product.ids));
        };
    });
}

void run(const Arguments& arguments) {
    Product product(arguments);
    const bool places = arguments.what == "place";
    const Measured measured = places ? place(product, arguments) : reserve(product, arguments);
    const auto& times = measured.batches_ms;
    if (times.empty()) throw std::runtime_error("not one batch in time");
    const std::size_t done = times.size() * arguments.batch;
    const auto expectations = places ? std::span<const Expectation>(of_orders)
                                     : std::span<const Expectation>(of_reservations);
    check(*product.database, expectations, static_cast<std::int64_t>(done));
    const auto quantile = [&](double q) {
        return times[static_cast<std::size_t>(q * static_cast<double>(times.size() - 1))];
    };
    fmt::print(
        "{{\"rate\": {:.0f}, \"p50_ms\": {:.2f}, \"p99_ms\": {:.2f}, \"done\": {}, \"correct\": "
        "true}}\n",
        static_cast<double>(done) * 1e3 / measured.wall_ms, quantile(0.5), quantile(0.99), done);
}

}  // namespace
}  // namespace trackops

int main(int count, char** words) {
    try {
        trackops::run(trackops::arguments_of({words + 1, static_cast<std::size_t>(count - 1)}));
    } catch (const std::exception& error) {
        fmt::print(stderr, "bench_write_path: {}\n", error.what());
        return 1;
    }
}
