// The rows of the audit log that the transactions of items write, on both databases.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "inventory/adapters/inventory_stores_fixture.hpp"
#include "platform/audit_log/chain.hpp"
#include "testing/acts.hpp"
#include "testing/lossy_database.hpp"

namespace trackops::inventory::adapters {
namespace {

using ::testing::ElementsAre;

class AuditedItemActs : public ::testing::TestWithParam<std::string> {
protected:
    ~AuditedItemActs() override { EXPECT_EQ(audit_log::check(*at_hand_.database).violations, 0); }

    app::ItemWrite creation(std::string sku, AuditedActPtr act) {
        return {.id = at_hand_.ids.next(),
                .sku = std::move(sku),
                .command = domain::CreateItem{{.name = "A"}, 5},
                .act = std::move(act)};
    }
    std::vector<Result<app::WriteResult>> write(const std::vector<app::ItemWrite>& writes) {
        return app::write_items(writes, *items_, at_hand_.clock);
    }
    std::vector<std::string> rows() { return testing::audit_rows(*at_hand_.database); }

    InventoryStoresFixture at_hand_{GetParam()};
    testing::LossyDatabase lossy_{*at_hand_.database};
    std::unique_ptr<app::ItemStore> items_ = make_item_store(lossy_);
};
INSTANTIATE_TEST_SUITE_P(Databases, AuditedItemActs, ::testing::ValuesIn(testing::databases));

TEST_P(AuditedItemActs, LeaveOneRowWithTheChangesOfATransaction) {
    const auto bulk = testing::act("bulk");
    const auto one = testing::act("one");
    const auto refused = testing::act("refused");
    const auto answers = write({creation("A", bulk), creation("B", one), creation("A", refused),
                                creation("C", bulk), creation("D", nullptr)});
    EXPECT_FALSE(answers[2]);
    EXPECT_TRUE(bulk->is_committed && one->is_committed);
    EXPECT_FALSE(refused->is_committed);
    EXPECT_THAT(rows(),
                ElementsAre("operator:ann bulk committed x2", "operator:ann one committed x1"));
}

TEST_P(AuditedItemActs, LeaveNoRowWhenTheyAreRolledBack) {
    const auto act = testing::act("create");
    lossy_.refuse = 1;
    EXPECT_EQ(write({creation("A", act)})[0].error().code, Errc::unavailable);
    EXPECT_FALSE(act->is_committed);
    EXPECT_THAT(rows(), ElementsAre());
    EXPECT_EQ(at_hand_.count("SELECT count(*) FROM inventory_items"), 0);
}

TEST_P(AuditedItemActs, LeaveOneRowWhenTheAnswerOfTheCommitIsLost) {
    const auto act = testing::act("create");
    lossy_.lose = 1;
    EXPECT_TRUE(write({creation("A", act)})[0]);
    EXPECT_TRUE(act->is_committed);
    EXPECT_THAT(rows(), ElementsAre("operator:ann create committed x1"));
}

}  // namespace
}  // namespace trackops::inventory::adapters
