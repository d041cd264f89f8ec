// The tests of the whole service on the embedded bus: order events in, replies out.
#include "inventory/module.hpp"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "events/encode.hpp"
#include "events/events.hpp"
#include "platform/backends/open_bus.hpp"
#include "platform/bus/bus.hpp"
#include "platform/runtime/system_clock.hpp"
#include "platform/telemetry/metrics.hpp"
#include "testing/databases.hpp"

namespace trackops::inventory {
namespace {

std::string call(std::uint16_t port, const std::string& request) {
    const int client = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(client, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::send(client, request.data(), request.size(), 0), ssize_t(request.size()));
    std::string answer;
    char buffer[4096];
    for (ssize_t got = 0; (got = ::recv(client, buffer, sizeof buffer, 0)) > 0;) {
        answer.append(buffer, std::size_t(got));
    }
    ::close(client);
    return answer;
}

std::string get(std::uint16_t port, const std::string& path) {
    return call(port, "GET " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
}

std::string post(std::uint16_t port, const std::string& path, const std::string& body) {
    return call(port, "POST " + path +
                          " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: "
                          "application/json\r\n"
                          "Content-Length: " +
                          std::to_string(body.size()) + "\r\n\r\n" + body);
}

class InventoryModule : public ::testing::TestWithParam<std::string> {
protected:
    void publish(const events::Event& event) {
        const std::vector<bus::OutgoingMessage> messages = {{std::string(events::type_of(event)),
                                                             order.text(),
                                                             events::encode(event),
                                                             {{"ce_id", ids.next().text()}}}};
        EXPECT_EQ(bus->publisher()->publish(messages)[0], bus::Delivery::acknowledged);
    }
    // Returns the next reply, or "" when there is none within ten seconds.
    std::string next_reply() {
        const auto got = replies->poll(1, std::chrono::seconds(10));
        return got.empty() ? "" : got[0].topic + ' ' + got[0].value;
    }

    runtime::SystemClock clock;
    runtime::RandomIds ids{clock};
    telemetry::Registry metrics;
    testing::TemporaryFolder folder;
    testing::FreshDatabase database{GetParam()};
    const std::vector<std::string> topics{std::begin(events::inventory_topics),
                                          std::end(events::inventory_topics)};
    std::unique_ptr<bus::Bus> bus =
        backends::open_bus("embedded:" + folder.path(), {}, clock, metrics);
    const Uuid order = ids.next();
    std::unique_ptr<bus::Subscription> replies;
};

TEST_P(InventoryModule, ReservesShipsAndTellsOverTheBus) {
    Module module({.database_url = database.url(), .port = 0}, clock, ids, *bus, metrics);
    module.prepare();
    module.start();
    replies = bus->subscribe("test", topics);
    EXPECT_NE(get(module.port(), "/actuator/health").find("\"status\":\"UP\""), std::string::npos);
    const auto made =
        post(module.port(), "/api/inventory/items", R"({"sku":"A/1 x","name":"a","onHand":5})");
    EXPECT_NE(made.find("201"), std::string::npos) << made;
    publish(events::OrderCreated{.order_id = order,
                                 .version = 1,
                                 .customer_id = ids.next().text(),
                                 .currency = "GBP",
                                 .total_amount_minor = 2,
                                 .items = {{"A/1 x", 2, 1}},
                                 .created_at = clock.now()});
    EXPECT_TRUE(next_reply().starts_with("INVENTORY_RESERVED ")) << "no reply came";
    EXPECT_NE(get(module.port(), "/api/inventory/items/A%2F1%20x").find("\"reserved\":2"),
              std::string::npos);
    publish(events::OrderCancelled{.order_id = order,
                                   .version = 2,
                                   .reason = "CUSTOMER_REQUEST",
                                   .cancelled_by = "test",
                                   .cancelled_at = clock.now()});
    EXPECT_TRUE(next_reply().starts_with("INVENTORY_RELEASED ")) << "no reply came";
    EXPECT_NE(get(module.port(), "/api/relay/status").find("200"), std::string::npos);
    module.stop(std::chrono::seconds(2));
    module.stop(std::chrono::seconds(2));
}

TEST_P(InventoryModule, GoesOnWhereItStopped) {
    for (int start = 0; start < 2; ++start) {
        Module module({.database_url = database.url(), .port = 0}, clock, ids, *bus, metrics);
        module.prepare();
        module.start();
        if (!replies) replies = bus->subscribe("test", topics);
        publish(events::OrderCancelled{.order_id = order,
                                       .version = 2,
                                       .reason = "CUSTOMER_REQUEST",
                                       .cancelled_by = "test",
                                       .cancelled_at = clock.now()});
        EXPECT_TRUE(next_reply().starts_with("INVENTORY_RELEASED ")) << "no reply came";
    }
    EXPECT_TRUE(replies->poll(1, Duration::zero()).empty());
}

INSTANTIATE_TEST_SUITE_P(Databases, InventoryModule, ::testing::ValuesIn(testing::databases),
                         [](const auto& kind) { return kind.param; });

}  // namespace
}  // namespace trackops::inventory
