// The contract of the item store and the reader, tested on both databases.
#include <atomic>
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "inventory/adapters/inventory_stores_fixture.hpp"
#include "testing/lossy_database.hpp"

namespace trackops::inventory::adapters {
namespace {

using ::testing::ElementsAre;

class ItemStoreContract : public ::testing::TestWithParam<std::string> {
protected:
    app::ItemWrite adjustment(std::string key, std::int64_t delta, std::string fingerprint = "f") {
        return {at_hand.ids.next(), "A", domain::AdjustStock{delta, "RETURN"},
                IdempotencyKey{"test", std::move(key), std::move(fingerprint)},
                [](const app::WriteResult& written) {
                    return RecordedResponse{200, std::to_string(written.item->stock.on_hand), "",
                                            ""};
                }};
    }
    std::vector<Result<app::WriteResult>> write(const std::vector<app::ItemWrite>& writes) {
        return app::write_items(writes, *at_hand.items, at_hand.clock);
    }
    std::vector<std::string> skus(const app::ItemFilter& filter, std::string_view after = "") {
        std::vector<std::string> found;
        for (const domain::Item& item : at_hand.reader->items(filter, after, 3))
            found.push_back(item.sku);
        return found;
    }

    InventoryStoresFixture at_hand{GetParam()};
};

// Runs on PostgreSQL only: SQLite has one writer.
class ItemsOfTwoWriters : public ItemStoreContract {};

TEST_P(ItemStoreContract, KeepsEveryWordOfAnItem) {
    const domain::CreateItem command{{.name = "Mug",
                                      .description = "of \"clay\" \xc3\xa9",
                                      .category = "kitchen",
                                      .price = domain::Price{250, "GBP"},
                                      .low_stock_threshold = 3},
                                     7};
    const auto written = at_hand.write("MUG 1/2", command);
    EXPECT_TRUE(written->is_new);
    EXPECT_EQ(at_hand.reader->item("MUG 1/2"), written->item);
    at_hand.clock.advance(std::chrono::seconds(1));
    const auto changed = at_hand.write(
        "MUG 1/2", domain::PatchItem{{.price = std::optional<domain::Price>()}, {.only = {{1}}}});
    EXPECT_EQ(at_hand.reader->item("MUG 1/2"), changed->item);
    EXPECT_EQ(changed->item->version, 2);
    EXPECT_EQ(at_hand.reader->item("mug 1/2"), std::nullopt);
}

TEST_P(ItemStoreContract, AppliesWritesOfOneItemOneAfterTheOther) {
    std::vector<app::ItemWrite> writes;
    const auto add = [&](domain::ItemCommand command) {
        writes.push_back({at_hand.ids.next(), "A", std::move(command)});
    };
    add(domain::CreateItem{{.name = "one"}, 5});
    add(domain::CreateItem{{.name = "two"}, 6});
    add(domain::AdjustStock{-2, "LOSS"});
    add(domain::AdjustStock{-4, "LOSS"});
    add(domain::DeleteItem{});
    add(domain::CreateItem{{.name = "three"}, 1});
    const auto answers = write(writes);
    EXPECT_TRUE(answers[0] && answers[2] && answers[4] && answers[5]);
    EXPECT_EQ(answers[1].error().code, Errc::conflict);
    EXPECT_EQ(answers[3].error().code, Errc::conflict);
    EXPECT_EQ(at_hand.reader->item("A")->name, "three");
    std::vector<std::string> ledger;
    for (const auto& row : at_hand.reader->movements("A", {}, 10)) ledger.push_back(row.reason);
    EXPECT_THAT(ledger, ElementsAre("CREATED", "DELETED", "LOSS", "CREATED"));
}

TEST_P(ItemStoreContract, CountsAKeyedAdjustmentOnce) {
    at_hand.create_item("A", 5);
    const auto twins = write({adjustment("k", 2), adjustment("k", 2)});
    EXPECT_EQ(twins[0]->item->stock.on_hand, 7);
    ASSERT_TRUE(twins[1]->replayed);
    EXPECT_EQ(twins[1]->replayed->body, "7");
    write({adjustment("l", 1)});
    EXPECT_EQ(write({adjustment("k", 2)})[0]->replayed->body, "7");
    EXPECT_EQ(write({adjustment("k", 3, "g")})[0].error().code, Errc::key_reused);
    EXPECT_EQ(at_hand.stock("A").on_hand, 8);
}

TEST_P(ItemStoreContract, ForgetsTheKeyOfARefusal) {
    at_hand.create_item("A", 5);
    EXPECT_EQ(write({adjustment("k", -6)})[0].error().code, Errc::conflict);
    write({adjustment("other", 3)});
    EXPECT_FALSE(write({adjustment("k", -6)})[0]->replayed);
    EXPECT_EQ(at_hand.stock("A").on_hand, 2);
}

// The twin commits between the look at the key and the look at the item.
TEST_P(ItemStoreContract, AnswersATwinInFlightAsTheFirst) {
    at_hand.create_item("A", 5);
    testing::LossyDatabase interrupted(*at_hand.database);
    const auto items = make_item_store(interrupted);
    const std::vector<app::ItemWrite> twin{adjustment("k", -5)};
    std::optional<Result<app::WriteResult>> first;
    interrupted.before_write = [&] { first = write(twin)[0]; };
    const auto second = app::write_items(twin, *items, at_hand.clock)[0];
    EXPECT_EQ(first.value()->item->stock.on_hand, 0);
    ASSERT_TRUE(second) << second.error().detail;
    ASSERT_TRUE(second->replayed);
    EXPECT_EQ(second->replayed->body, "0");
    EXPECT_EQ(at_hand.stock("A").on_hand, 0);
}

TEST_P(ItemStoreContract, AppliesThirtyTwoRequestsWithOneKeyOnce) {
    at_hand.create_item("A", 5);
    std::vector<std::thread> twins;
    std::atomic<int> carried_out = 0;
    for (int i = 0; i < 32; ++i) {
        twins.emplace_back([&] {
            for (;;) {
                const auto answer = write({adjustment("k", 2)})[0];
                if (!answer && answer.error().code == Errc::unavailable) continue;
                ASSERT_TRUE(answer);
                if (!answer->replayed) ++carried_out;
                return;
            }
        });
    }
    for (std::thread& twin : twins) twin.join();
    EXPECT_EQ(carried_out, 1);
    EXPECT_EQ(at_hand.stock("A").on_hand, 7);
}

// The same write runs again after a commit with an unknown outcome.
TEST_P(ItemStoreContract, CarriesOutOneWriteOnce) {
    at_hand.create_item("A", 5);
    const app::ItemWrite one{at_hand.ids.next(), "A", domain::AdjustStock{2, "RETURN"}};
    write({one});
    EXPECT_EQ(write({one})[0]->item->stock.on_hand, 7);
    EXPECT_EQ(at_hand.stock("A").on_hand, 7);
}

TEST_P(ItemsOfTwoWriters, RunsAgainWhenTheItemCameMeanwhile) {
    bool overtaken = false;
    const app::ItemWrite one{at_hand.ids.next(), "A", domain::UpsertItem{{.name = "A"}, 9}};
    const auto decide = [&](const std::optional<domain::Item>& current,
                            const app::ItemWrite& write) {
        if (!std::exchange(overtaken, true)) at_hand.create_item("A", 5);
        return apply(current, write.sku, write.command, at_hand.clock.now());
    };
    const auto answers = at_hand.items->write({&one, 1}, decide, at_hand.clock.now());
    EXPECT_EQ(answers[0]->item->version, 2);
    EXPECT_EQ(answers[0]->item->name, "A");
    EXPECT_EQ(at_hand.stock("A").on_hand, 5);  // the count of the first one
}

TEST_P(ItemStoreContract, ListsItemsByWhatIsAsked) {
    for (const auto* sku : {"b", "A", "a_c", "abc", "c"}) at_hand.create_item(sku, 5);
    const domain::PatchItem words{
        {.name = "100% Cotton", .category = "cloth", .low_stock_threshold = 5}};
    EXPECT_TRUE(at_hand.write("c", words));
    EXPECT_THAT(skus({}), ElementsAre("A", "a_c", "abc"));
    EXPECT_THAT(skus({}, "abc"), ElementsAre("b", "c"));
    EXPECT_THAT(skus({.words = "A_C"}), ElementsAre("a_c"));
    EXPECT_THAT(skus({.words = "0% cot"}), ElementsAre("c"));
    // Each stands for itself, in capitals or not.
    EXPECT_THAT(skus({.words = "1%C"}), ElementsAre());
    EXPECT_THAT(skus({.words = "A_B"}), ElementsAre());
    EXPECT_THAT(skus({.words = "\\"}), ElementsAre());
    at_hand.create_item("z", 9);
    EXPECT_THAT(skus({.words = "A Z"}), ElementsAre("z"));
    EXPECT_THAT(skus({.category = "cloth"}), ElementsAre("c"));
    EXPECT_THAT(skus({.low_stock = true}), ElementsAre("c"));
    // Without a threshold of its own an item is low by the default, which is 2 here.
    at_hand.create_item("d2", 2);
    at_hand.create_item("d3", 3);
    EXPECT_THAT(skus({.low_stock = true}), ElementsAre("c", "d2"));
    EXPECT_TRUE(at_hand.write("d2", domain::PatchItem{{.low_stock_threshold = 1}, {}}));
    EXPECT_THAT(skus({.low_stock = true}), ElementsAre("c"));
}

// The same on both databases: letters match in any case, every other character stands for itself.
TEST_P(ItemStoreContract, FindsWordsInAnyAlphabet) {
    const std::vector<std::string> names = {
        "\u00c4rmel *[a-z]? ^", "\u0427\u0435\u0440\u0432\u043e\u043d\u0438\u0439",
        "\u039f\u0394\u039f\u03a3 (+|$)", "Stra\u00dfe \\d {2}.", "\u0e01\u0e32\u0e41\u0e1f 100%"};
    for (std::size_t i = 0; i < names.size(); ++i) {
        const std::string sku = fmt::format("s{}", i);
        at_hand.create_item(sku, 5);
        ASSERT_TRUE(at_hand.write(sku, domain::PatchItem{{.name = names[i]}}));
    }
    for (const auto& [words, sku] : std::initializer_list<std::pair<const char*, const char*>>{
             {"\u00c4rmel", "s0"},
             {"\u00e4RMEL", "s0"},
             {"*[a", "s0"},
             {"Z]? ^", "s0"},
             {"\u0447\u0415\u0440\u0412", "s1"},
             {"\u0438\u0439", "s1"},
             {"\u03bf\u03b4\u03bf\u03c2", "s2"},
             {"\u03bf\u03b4\u03bf\u03c3", "s2"},
             {"(+|$)", "s2"},
             {"STRA\u1e9eE", "s3"},
             {"\\D {2}.", "s3"},
             {"\u0e32\u0e41\u0e1f", "s4"},
             {"0%", "s4"}}) {
        EXPECT_THAT(skus({.words = words}), ElementsAre(sku)) << words;
    }
    for (const auto* words : {"armel", "[a-z]{4}", "strasse", ".*", "s.", "\u00c4_mel", "%%"}) {
        EXPECT_THAT(skus({.words = words}), ElementsAre()) << words;
    }
}

TEST_P(ItemStoreContract, ListsReservationsAndMovementsNewestFirst) {
    at_hand.create_item("A", 50);
    at_hand.create_item("B", 50);
    std::vector<domain::OrderId> orders;
    for (int i = 0; i < 4; ++i) {
        orders.emplace_back(at_hand.ids.next());
        at_hand.handle({{at_hand.ids.next(),
                         {orders.back(),
                          domain::ReservationCommand::create,
                          {{i % 2 ? "A" : "B", 1}, {"A", 1}}}}});
    }
    at_hand.handle({{at_hand.ids.next(), {orders[1], domain::ReservationCommand::ship}}});
    const auto of = [](const std::vector<domain::Reservation>& found) {
        std::vector<domain::OrderId> ids;
        for (const auto& one : found) ids.push_back(one.order_id);
        return ids;
    };
    auto& reader = *at_hand.reader;
    const auto page = reader.reservations({}, {}, 3);
    EXPECT_THAT(of(page), ElementsAre(orders[3], orders[2], orders[1]));
    EXPECT_THAT(of(reader.reservations({}, page.back().id, 3)), ElementsAre(orders[0]));
    EXPECT_THAT(of(reader.reservations({.sku = "B"}, {}, 3)), ElementsAre(orders[2], orders[0]));
    EXPECT_THAT(of(reader.reservations({.status = domain::ReservationState::fulfilled}, {}, 3)),
                ElementsAre(orders[1]));
    EXPECT_THAT(
        of(reader.reservations({.sku = "A", .status = domain::ReservationState::reserved}, {}, 9)),
        ElementsAre(orders[3], orders[2], orders[0]));
    EXPECT_THAT(of(reader.reservations({.order_id = orders[1], .sku = "B"}, {}, 9)), ElementsAre());
    EXPECT_EQ(reader.reservation(page[0].id)->lines, (std::vector<domain::Line>{{"A", 2}}));
    const auto movements = reader.movements("A", {}, 1);
    ASSERT_EQ(movements.size(), 1);
    EXPECT_EQ(movements[0].reason, "SHIPMENT");
    EXPECT_EQ(reader.movements("A", movements[0].position, 9)[0].reason, "CREATED");
    const std::vector<std::string> asked = {"A", "nowhere"};
    EXPECT_EQ(reader.stock_of(asked), (domain::StockLevels{{"A", {48, 4}}}));
}

INSTANTIATE_TEST_SUITE_P(Postgres, ItemsOfTwoWriters, ::testing::Values("postgres"));
INSTANTIATE_TEST_SUITE_P(Databases, ItemStoreContract, ::testing::ValuesIn(testing::databases),
                         [](const auto& kind) { return kind.param; });

}  // namespace
}  // namespace trackops::inventory::adapters
