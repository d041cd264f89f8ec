#include "platform/config/own_variables.hpp"

#include <array>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trackops::config {
namespace {

TEST(OwnVariables, AreThoseOfTheTable) {
    constexpr auto table = std::to_array<Setting>({
        {"order-url", Kind::text, "", ""},
        {.name = "key", .kind = Kind::text, .default_value = "", .help = "", .secret = true},
    });
    const std::vector<std::string> environment = {
        "TRACKOPS_KEY_FILE=a", "TRACKOPS_ORDER_URL=b",    "TRACKOPS_ORDER_URL_FILE=c",
        "TRACKOPS_KEYS=d",     "TRACKOPS_DATABASE_URL=e", "HOME=f"};
    EXPECT_THAT(own_variables(table, environment),
                ::testing::ElementsAre("TRACKOPS_ORDER_URL=b", "TRACKOPS_KEY_FILE=a"));
}

}  // namespace
}  // namespace trackops::config
