#include "platform/config/service_links.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "platform/config/settings.hpp"

namespace trackops::config {
namespace {

using testing::HasSubstr;
using Texts = std::vector<std::string>;

// The variables that Kubernetes 1.34 sets for a Service "trackops-orders" with the port "http".
const Texts of_orders = {
    "TRACKOPS_ORDERS_SERVICE_HOST=10.96.0.7",
    "TRACKOPS_ORDERS_SERVICE_PORT=8080",
    "TRACKOPS_ORDERS_SERVICE_PORT_HTTP=8080",
    "TRACKOPS_ORDERS_PORT=tcp://10.96.0.7:8080",
    "TRACKOPS_ORDERS_PORT_8080_TCP=tcp://10.96.0.7:8080",
    "TRACKOPS_ORDERS_PORT_8080_TCP_PROTO=tcp",
    "TRACKOPS_ORDERS_PORT_8080_TCP_PORT=8080",
    "TRACKOPS_ORDERS_PORT_8080_TCP_ADDR=10.96.0.7",
};

constexpr auto table = std::to_array<Setting>({
    {"port", Kind::integer, "8080", "Port.", 1, 65535},
    {"orders-port", Kind::integer, "8081", "Port of the orders.", 1, 65535},
});

std::string faults(const Texts& environment) {
    const auto values = read(table, {}, environment);
    return values ? "" : values.error().detail;
}

Texts plus(Texts environment, std::string one) {
    environment.push_back(std::move(one));
    return environment;
}

TEST(ServiceLinks, ArePassedOver) {
    EXPECT_EQ(faults(of_orders), "");
    // Of a Service called "trackops", on IPv6, with two ports.
    EXPECT_EQ(faults({"TRACKOPS_SERVICE_HOST=fd00::7", "TRACKOPS_SERVICE_PORT=53",
                      "TRACKOPS_SERVICE_PORT_DNS_TCP=53", "TRACKOPS_PORT=udp://[fd00::7]:53",
                      "TRACKOPS_PORT_53_UDP=udp://[fd00::7]:53", "TRACKOPS_PORT_53_UDP_PROTO=udp",
                      "TRACKOPS_PORT_53_UDP_PORT=53", "TRACKOPS_PORT_53_UDP_ADDR=fd00::7",
                      "TRACKOPS_PORT_53_TCP=tcp://[fd00::7]:53"}),
              "");
}

TEST(ServiceLinks, LeaveTheSettingOfTheSameNameItsDefault) {
    const auto values = read(table, {}, of_orders);
    ASSERT_TRUE(values);
    EXPECT_EQ(values->integer("orders-port"), 8081);
    EXPECT_EQ(values->values.at("orders-port").source, "default");
}

TEST(ServiceLinks, HideNoSetting) {
    const auto values = read(table, {}, plus(of_orders, "TRACKOPS_PORT=9000"));
    ASSERT_TRUE(values);
    EXPECT_EQ(values->integer("port"), 9000);
}

TEST(ServiceLinks, HideNoMistake) {
    for (const char* mistake :
         {"TRACKOPS_ORDERS_PRT=8080", "TRACKOPS_ORDERS_PORT=tcp://10.96.0.7",
          "TRACKOPS_ORDERS_PORT=http://10.96.0.7:80", "TRACKOPS_ORDERS_PORT_8080=8080",
          "TRACKOPS_ORDERS_PORT_8080_TCP_ADR=10.96.0.7", "TRACKOPS_ORDERS_PORT_X_TCP=8080",
          "TRACKOPS_ORDERS_PORT_8080_TCP_PORT=many", "TRACKOPS_ORDERS_SERVICE_PORT_=8080",
          "TRACKOPS_ORDERS_SERVICE_HOSTS=10.96.0.7", "TRACKOPS_ORDER_SERVICE_PORT=8080",
          "TRACKOPS_PORT=tcp://10.96.0.7:8080"}) {
        const std::string name = std::string(mistake).substr(0, std::string(mistake).find('='));
        EXPECT_THAT(faults(plus(of_orders, mistake)), HasSubstr(name)) << mistake;
    }
}

TEST(ServiceLinks, AreKnownByTheirPair) {
    EXPECT_THAT(faults({"TRACKOPS_ORDERS_SERVICE_HOST=10.96.0.7"}), HasSubstr("is unknown"));
    EXPECT_THAT(faults({"TRACKOPS_ORDERS_SERVICE_PORT=8080"}), HasSubstr("is unknown"));
    EXPECT_THAT(faults({"TRACKOPS_X_SERVICE_HOST=db.example", "TRACKOPS_X_SERVICE_PORT=1"}),
                HasSubstr("TRACKOPS_X_SERVICE_HOST is unknown"));
    EXPECT_THAT(faults({"TRACKOPS_X_SERVICE_HOST=10.0.0.1", "TRACKOPS_X_SERVICE_PORT=0"}),
                HasSubstr("TRACKOPS_X_SERVICE_HOST is unknown"));
}

}  // namespace
}  // namespace trackops::config
