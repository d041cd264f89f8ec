#include "base/nearest.hpp"

#include <array>
#include <string>

#include <gtest/gtest.h>

namespace trackops {
namespace {

constexpr std::array<std::string_view, 5> names{"customerId", "currency", "sku", "quantity",
                                                "unitAmount"};

TEST(NearestName, FindsWhatWasMeant) {
    EXPECT_EQ(nearest_name("customer_id", names), "customerId");
    EXPECT_EQ(nearest_name("CUSTOMERID", names), "customerId");
    EXPECT_EQ(nearest_name("unit-amount", names), "unitAmount");
    EXPECT_EQ(nearest_name("quantitiy", names), "quantity");
    EXPECT_EQ(nearest_name("curency", names), "currency");
    EXPECT_EQ(nearest_name("SKU", names), "sku");
    EXPECT_EQ(nearest_name("sk", names), "sku");
}

TEST(NearestName, SuggestsNothingThatIsFar) {
    for (const auto* typed : {"", "colour", "__", "price", "id", "skewer"})
        EXPECT_EQ(nearest_name(typed, names), std::nullopt) << typed;
    EXPECT_EQ(nearest_name(std::string(100'000, 'x'), names), std::nullopt);
    EXPECT_EQ(nearest_name("sku", {}), std::nullopt);
}

}  // namespace
}  // namespace trackops
