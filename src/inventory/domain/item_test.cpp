#include "inventory/domain/item.hpp"

#include <gtest/gtest.h>

namespace trackops::inventory::domain {
namespace {

const Instant now{2'000'000};

Item mug() {
    return {.sku = "MUG",
            .name = "Mug",
            .category = "kitchen",
            .stock = {10, 4},
            .version = 3,
            .created_at = {1},
            .updated_at = {1}};
}

Result<ItemChange> asked(const std::optional<Item>& current, const ItemCommand& command) {
    return apply(current, "MUG", command, now);
}

VersionCondition only(std::int64_t version) { return {.only = {{version}}}; }

TEST(Item, ComesIntoBeingOnce) {
    const CreateItem command{{.name = "Mug", .price = Price{250, "GBP"}}, 7};
    const auto change = asked({}, command);
    const Item expected{.sku = "MUG",
                        .name = "Mug",
                        .price = Price{250, "GBP"},
                        .stock = {7, 0},
                        .created_at = now,
                        .updated_at = now};
    EXPECT_EQ(change->item, expected);
    EXPECT_EQ(change->reason, "CREATED");
    EXPECT_EQ(asked(expected, command).error().code, Errc::conflict);
}

TEST(Item, TakesWordsAndClearsThem) {
    const auto change = asked(
        mug(), PatchItem{{.name = "Big mug", .category = std::optional<std::string>()}, only(3)});
    EXPECT_EQ(change->item->name, "Big mug");
    EXPECT_FALSE(change->item->category);
    EXPECT_EQ(change->item->version, 4);
    EXPECT_EQ(change->item->updated_at, now);
    EXPECT_EQ(change->item->stock, mug().stock);
}

TEST(Item, KeepsItsVersionWhenNothingIsDifferent) {
    EXPECT_EQ(asked(mug(), PatchItem{{.name = "Mug"}, {}})->item, mug());
    EXPECT_EQ(asked(mug(), UpsertItem{{.name = "Mug"}, 10})->item, mug());
}

TEST(Item, RefusesAnotherVersionAndWhatIsNotThere) {
    for (const std::int64_t version : {2, 4}) {  // it is at 3
        for (const ItemCommand& command :
             {ItemCommand(PatchItem{{}, only(version)}), ItemCommand(DeleteItem{only(version)}),
              ItemCommand(AdjustStock{1, "RETURN", {}, only(version)})}) {
            EXPECT_EQ(asked(mug(), command).error().code, Errc::precondition_failed);
            EXPECT_EQ(asked({}, command).error().code, Errc::not_found);
        }
    }
}

TEST(Item, IsNotDeletedWhileUnitsAreReserved) {
    EXPECT_EQ(asked(mug(), DeleteItem{}).error().code, Errc::conflict);
    Item free = mug();
    free.stock.reserved = 1;
    EXPECT_EQ(asked(free, DeleteItem{}).error().code, Errc::conflict);
    free.stock.reserved = 0;
    EXPECT_FALSE(asked(free, DeleteItem{only(3)})->item);
}

TEST(Item, IsNeverAdjustedBelowWhatIsReserved) {
    EXPECT_EQ(asked(mug(), AdjustStock{-6, "LOSS"})->item->stock, (StockLevel{4, 4}));
    EXPECT_EQ(asked(mug(), AdjustStock{-6, "LOSS"})->reason, "LOSS");
    EXPECT_EQ(asked(mug(), AdjustStock{-7, "LOSS"}).error().code, Errc::conflict);
    EXPECT_EQ(asked(mug(), AdjustStock{max_units, "FOUND"}).error().code, Errc::conflict);
    EXPECT_EQ(asked(mug(), UpsertItem{{}, 3, 10}).error().code, Errc::conflict);
    EXPECT_EQ(asked(mug(), UpsertItem{{}, 4, 10})->item->stock, (StockLevel{4, 4}));
}

TEST(Item, IsAdjustedOnlyFromWhatWasExpected) {
    EXPECT_EQ(asked(mug(), AdjustStock{1, "FOUND", 9}).error().code, Errc::conflict);
    EXPECT_EQ(asked(mug(), AdjustStock{1, "FOUND", 10})->item->stock.on_hand, 11);
}

TEST(Item, KeepsItsCountInAPutWithoutAnExpectedCount) {
    const auto kept = asked(mug(), UpsertItem{{.name = "Big mug"}, 97});
    EXPECT_EQ(kept->item->stock, mug().stock);
    EXPECT_EQ(kept->item->name, "Big mug");
    EXPECT_EQ(asked(mug(), UpsertItem{{}, 97})->item, mug());
}

TEST(Item, TakesACountOnlyFromWhatWasExpected) {
    const auto wrong = asked(mug(), UpsertItem{{.name = "Big mug"}, 97, 9}).error();
    EXPECT_EQ(wrong.code, Errc::conflict);
    EXPECT_EQ(wrong.fields.front(), (FieldError{"/expectedOnHand", "10 are on hand", "mismatch"}));
    EXPECT_EQ(asked(mug(), UpsertItem{{}, 97, 10})->item->stock, (StockLevel{97, 4}));
    EXPECT_EQ(asked({}, UpsertItem{{.name = "Mug"}, 3, 1}).error().code, Errc::conflict);
    EXPECT_EQ(asked({}, UpsertItem{{.name = "Mug"}, 3, 0})->item->stock.on_hand, 3);
}

TEST(Item, NamesTheOrderOfAnAdjustment) {
    const OrderId order{Uuid{{1}}};
    const auto change = asked(mug(), AdjustStock{1, "RETURN", {}, {}, order});
    EXPECT_EQ(change->order_id, order);
}

TEST(Item, IsBroughtInByAPutOnlyWithAName) {
    EXPECT_EQ(asked({}, UpsertItem{{}, 3}).error().fields.front().pointer, "/name");
    EXPECT_EQ(asked({}, UpsertItem{{.name = "Mug"}, 3})->item->stock.on_hand, 3);
}

}  // namespace
}  // namespace trackops::inventory::domain
