#include "order/adapters/external_refs.hpp"

#include <thread>

#include "order/adapters/order_store_contract_fixture.hpp"

namespace trackops::order::adapters {
namespace {

class ExternalRefs : public OrderStoreContract {
protected:
    ExternalRefs() {
        store_ = make_sql_order_store(*database_, clock_, ids_, metrics_, recorded_response, true);
    }

    app::PlaceOrder with_ref(std::string ref, std::string customer = "customer-1",
                             std::optional<IdempotencyKey> key = {}) {
        app::PlaceOrder command = placing(std::move(key));
        command.terms.customer = domain::CustomerId{std::move(customer)};
        command.terms.external_ref = std::move(ref);
        return command;
    }
    domain::OrderId id_of(const app::PlaceOrder& command) {
        return place({command}).at(0).value().order.id;
    }
    static app::ChangeOrder renaming(domain::OrderId id, std::string ref) {
        return {id,
                app::ChangeDetails{[ref](const domain::OrderDetails& current) {
                    domain::OrderDetails wanted = current;
                    wanted.external_ref = ref;
                    return Result<domain::OrderDetails>(wanted);
                }},
                "anonymous",
                {},
                {},
                {}};
    }
    std::vector<Result<app::SaveResult>> rename(const std::vector<app::ChangeOrder>& commands) {
        return app::change_orders(commands, *store_, clock_, ids_, {});
    }
    static void expect_taken(const Result<app::SaveResult>& answer, domain::OrderId by) {
        ASSERT_FALSE(answer);
        EXPECT_EQ(answer.error().code, Errc::conflict);
        EXPECT_NE(answer.error().detail.find(by.text()), std::string::npos)
            << answer.error().detail;
    }
};
INSTANTIATE_TEST_SUITE_P(Databases, ExternalRefs, ::testing::Values("sqlite", "postgres"));

TEST_P(ExternalRefs, AreTakenOnceByTheOrdersOfACustomer) {
    const domain::OrderId first = id_of(with_ref("WEB-1"));
    expect_taken(place({with_ref("WEB-1")}).at(0), first);
    EXPECT_TRUE(place({with_ref("WEB-1", "customer-2")}).at(0));
    EXPECT_TRUE(place({with_ref("WEB-2")}).at(0));
    EXPECT_TRUE(place({placing()}).at(0));
    EXPECT_TRUE(place({placing()}).at(0)) << "orders without a reference";
    EXPECT_EQ(count("orders"), 5);
}

TEST_P(ExternalRefs, AreKeptByACancelledOrder) {
    const domain::OrderId first = id_of(with_ref("WEB-1"));
    ASSERT_TRUE(change(first, domain::Action::cancel));
    expect_taken(place({with_ref("WEB-1")}).at(0), first);
}

TEST_P(ExternalRefs, RefuseOnlyTheOrdersOfABatchThatAreTooMany) {
    const auto answers = place({with_ref("WEB-1"), with_ref("WEB-2"), with_ref("WEB-1"), placing(),
                                with_ref("WEB-2", "customer-2")});
    ASSERT_EQ(answers.size(), 5U);
    ASSERT_TRUE(answers[0]);
    EXPECT_TRUE(answers[1]);
    expect_taken(answers[2], answers[0]->order.id);
    EXPECT_TRUE(answers[3]);
    EXPECT_TRUE(answers[4]);
    EXPECT_EQ(count("orders"), 4);
}

TEST_P(ExternalRefs, LetARepeatedRequestHaveItsFirstResponse) {
    const IdempotencyKey key{"anonymous POST /api/orders", "k", "f"};
    const auto first = place({with_ref("WEB-1", "customer-1", key)}).at(0);
    const auto again = place({with_ref("WEB-1", "customer-1", key)}).at(0);
    ASSERT_TRUE(again) << again.error().detail;
    ASSERT_TRUE(again->recorded);
    EXPECT_EQ(again->recorded->body, recorded_response(201, first.value().order).body);
    EXPECT_EQ(count("orders"), 1);
}

TEST_P(ExternalRefs, CannotBeTakenByAChangeEither) {
    const domain::OrderId first = id_of(with_ref("WEB-1"));
    const domain::OrderId second = id_of(with_ref("WEB-2"));
    const domain::OrderId third = id_of(with_ref("WEB-3"));
    expect_taken(rename({renaming(second, "WEB-1")}).at(0), first);
    EXPECT_EQ(found(second).terms.external_ref, "WEB-2");
    EXPECT_EQ(found(second).version, 1);

    const auto answers = rename({renaming(second, "WEB-4"), renaming(third, "WEB-4")});
    EXPECT_TRUE(answers.at(0));
    expect_taken(answers.at(1), second);
    EXPECT_TRUE(rename({renaming(third, "WEB-2")}).at(0)) << "the second order has given it up";
    EXPECT_TRUE(rename({renaming(third, "WEB-2")}).at(0)) << "its own one";
}

TEST_P(ExternalRefs, AreTakenOnceWhenTheAnswerOfTheCommitIsLost) {
    testing::LossyDatabase lossy(*database_);
    const auto store = make_sql_order_store(lossy, clock_, ids_, metrics_, recorded_response, true);
    lossy.lose = 1;
    EXPECT_TRUE(app::place_orders(std::vector{with_ref("WEB-1")}, *store, clock_, ids_, {}).at(0));
    EXPECT_EQ(lossy.lose, 0);
    EXPECT_EQ(count("orders"), 1);
}

// The other transaction has the reference and has not committed its order.
TEST_P(ExternalRefs, WaitForATransactionThatMayTakeTheSame) {
    const domain::OrderId before = id_of(with_ref("WEB-0"));
    auto other = database_->begin(sql::Access::write);
    ASSERT_TRUE(
        keep_external_refs(*other, database_->dialect(), {{"customer-1", "WEB-1", before}}));
    other->add({.name = "test.take",
                .text = "UPDATE orders SET external_ref = 'WEB-1' WHERE external_ref = 'WEB-0'"},
               {});
    other->flush();
    Result<app::SaveResult> answer = fail(Errc::internal, "");
    std::jthread placing_it([&] { answer = place({with_ref("WEB-1")}).at(0); });
    if (database_->dialect() == sql::Dialect::postgres) {
        constexpr sql::Query waiting{
            .name = "test.waiting",
            .text =
                "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND "
                "database = (SELECT oid FROM pg_database WHERE datname = current_database())"};
        std::int64_t waiters = 0;
        for (int looks = 0; waiters == 0 && looks < 10'000; ++looks) {
            const auto tx = database_->begin(sql::Access::read);
            const auto& rows = tx->add(waiting, {});
            tx->flush();
            waiters = rows.rows().at(0).integer(0);
        }
        EXPECT_EQ(waiters, 1);
    }
    other->commit();
    placing_it.join();
    expect_taken(answer, before);
}

TEST_P(OrderStoreContract, TakesAnExternalReferenceTwiceUnlessTheShopForbidsIt) {
    app::PlaceOrder command = placing();
    command.terms.external_ref = "WEB-1";
    EXPECT_TRUE(place({command, command}).at(1));
    EXPECT_EQ(count("orders"), 2);
}

}  // namespace
}  // namespace trackops::order::adapters
