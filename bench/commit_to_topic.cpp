// Measures the time from the commit of an order to the arrival of its event at a consumer of its
// topic. The relay runs beside this program.
//   bench_commit_to_topic DATABASE BUS RATE SECONDS
// Orders are placed one a transaction at a constant rate, by as many writers as that takes, whether
// or not earlier ones have finished. Prints one JSON line. An order without an event is a failure.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>
#include <unordered_map>

#include <fmt/format.h>

#include "bench/sample_order.hpp"
#include "events/events.hpp"
#include "order/adapters/order_json.hpp"
#include "order/adapters/sql_order_store.hpp"
#include "platform/backends/open_bus.hpp"
#include "platform/backends/open_database.hpp"
#include "platform/bus/bus.hpp"
#include "platform/runtime/system_clock.hpp"
#include "platform/sql/database.hpp"
#include "platform/telemetry/metrics.hpp"

namespace trackops {
namespace {

using SteadyClock = std::chrono::steady_clock;
using Milliseconds = std::chrono::duration<double, std::milli>;
// By order id.
using Times = std::unordered_map<std::string, SteadyClock::time_point>;

constexpr std::size_t writers = 8;
// How long to wait for the last message.
constexpr auto timeout = std::chrono::seconds(10);

struct Load {
    std::int64_t per_second;
    std::int64_t orders;
};

// Places every `writers`th order when it is due. Returns the times of the commits.
Times write(order::app::OrderStore& store, const Load& load, std::int64_t first,
            SteadyClock::time_point start) {
    runtime::SystemClock clock;
    runtime::RandomIds ids{clock};
    const order::domain::CustomerId customer{ids.next().text()};
    Times committed;
    for (std::int64_t number = first; number < load.orders; number += writers) {
        std::this_thread::sleep_until(start + std::chrono::nanoseconds(1'000'000'000) * number /
                                                  load.per_second);
        const order::app::PlaceOrder command = bench::two_lines(ids, customer);
        const auto receipts = order::app::place_orders({&command, 1}, store, clock, ids, {});
        if (!receipts.front()) throw std::runtime_error(receipts.front().error().detail);
        committed[receipts.front()->order.id.text()] = SteadyClock::now();
    }
    return committed;
}

// Returns the arrival times of the first message of each order. Ends when all orders have one, or
// when no message arrives within the timeout.
Times read(bus::Subscription& subscription, std::int64_t orders) {
    Times received;
    auto heard = SteadyClock::now();
    while (std::ssize(received) < orders && SteadyClock::now() < heard + timeout) {
        const auto messages = subscription.poll(512, std::chrono::milliseconds(100));
        const auto now = SteadyClock::now();
        if (!messages.empty()) heard = now;
        for (const bus::Message& message : messages) received.try_emplace(message.key, now);
    }
    return received;
}

void run(char** words) {
    const Load load{std::stoll(words[3]),
                    static_cast<std::int64_t>(std::stod(words[3]) * std::stod(words[4]))};
    telemetry::Registry metrics;
    const runtime::SystemClock clock;
    runtime::RandomIds ids{clock};
    const auto database = backends::open_database(words[1], {.connections_max = writers}, metrics);
    const auto store = order::adapters::make_sql_order_store(*database, clock, ids, metrics,
                                                             order::adapters::recorded_response);
    const auto bus = backends::open_bus(words[2], {}, clock, metrics);
    const std::string topics[] = {std::string(events::OrderCreated::type)};
    const auto subscription = bus->subscribe("bench-" + ids.next().text(), topics);
    // Joins the consumer group.
    (void)subscription->poll(1, std::chrono::seconds(2));

    std::vector<Times> committed(writers);
    Times received;
    const auto start = SteadyClock::now() + std::chrono::milliseconds(100);
    {
        std::vector<std::jthread> threads;
        threads.emplace_back([&] { received = read(*subscription, load.orders); });
        for (std::size_t i = 0; i < writers; ++i) {
            threads.emplace_back([&, i] {
                committed[i] = write(*store, load, static_cast<std::int64_t>(i), start);
            });
        }
    }
    std::vector<double> taken_ms;
    auto last = start;
    for (const Times& each : committed) {
        for (const auto& [order, at] : each) {
            const auto came = received.find(order);
            if (came == received.end())
                throw std::runtime_error("no message tells of order " + order);
            taken_ms.push_back(std::max(0.0, Milliseconds(came->second - at).count()));
            last = std::max(last, at);
        }
    }
    std::ranges::sort(taken_ms);
    const auto quantile = [&](double share) {
        return taken_ms[static_cast<std::size_t>(share * static_cast<double>(taken_ms.size() - 1))];
    };
    fmt::print("{{\"rate\": {:.0f}, \"p50_ms\": {:.2f}, \"p99_ms\": {:.2f}}}\n",
               static_cast<double>(taken_ms.size()) * 1e3 / Milliseconds(last - start).count(),
               quantile(0.5), quantile(0.99));
}

}  // namespace
}  // namespace trackops

int main(int count, char** words) {
    if (count != 5) {
        fmt::print(stderr, "bench_commit_to_topic DATABASE BUS RATE SECONDS\n");
        return 2;
    }
    try {
        trackops::run(words);
    } catch (const std::exception& error) {
        fmt::print(stderr, "bench_commit_to_topic: {}\n", error.what());
        return 1;
    }
}
