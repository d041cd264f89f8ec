// The readers of lists and of waits.
#include <algorithm>

#include <gtest/gtest.h>

#include "order/adapters/read_requests.hpp"

namespace trackops::order::adapters {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

std::vector<std::string> pointers(const Error& error) {
    std::vector<std::string> list;
    for (const FieldError& fault : error.fields) list.push_back(fault.pointer);
    std::ranges::sort(list);
    return list;
}

http::Request asking(Pairs query, Pairs headers = {}) {
    http::Request request;
    request.query = std::move(query);
    request.headers = std::move(headers);
    return request;
}

TEST(ReadList, NamesEveryParameterAtFault) {
    const auto list = read_list_request(asking({{"status", "x"},
                                                {"customerId", std::string(65, 'x')},
                                                {"createdFrom", "x"},
                                                {"createdTo", "x"},
                                                {"limit", "501"},
                                                {"cursor", "x"}}));
    ASSERT_FALSE(list);
    EXPECT_EQ(pointers(list.error()),
              (std::vector<std::string>{"createdFrom", "createdTo", "cursor", "customerId", "limit",
                                        "status"}));
    EXPECT_FALSE(read_list_request(asking({{"colour", "red"}})));
    EXPECT_EQ(read_list_request(asking({{"status", "PENDING"}})).value().limit, 50U);
    for (const auto& [limit, number] : {std::pair{"1", 1U}, std::pair{"500", 500U}})
        EXPECT_EQ(read_saga_list_request(asking({{"limit", limit}})).value().limit, number);
    for (const auto* limit : {"0", "501", "-1", "1 "})
        EXPECT_FALSE(read_saga_list_request(asking({{"limit", limit}}))) << limit;
}

TEST(ReadList, TakesEachFilter) {
    const auto list =
        read_list_request(asking({{"status", "SHIPPED"},
                                  {"customerId", "018bcfe5-687b-7abc-8123-456789abcdef"},
                                  {"externalRef", "536365"},
                                  {"createdFrom", "2023-11-14T22:13:20Z"},
                                  {"createdTo", "2023-11-14T22:13:21Z"},
                                  {"cursor", "018bcfe5-687b-7abc-8123-456789abcdee"}}))
            .value();
    EXPECT_EQ(list.filter.statuses, std::vector{domain::Status::shipped});
    EXPECT_EQ(list.filter.customer->text, "018bcfe5-687b-7abc-8123-456789abcdef");
    EXPECT_EQ(list.filter.external_ref, "536365");
    EXPECT_EQ(list.filter.created_from, Instant{1'700'000'000'000'000});
    EXPECT_EQ(list.filter.created_to, Instant{1'700'000'001'000'000});
    EXPECT_EQ(list.after->text(), "018bcfe5-687b-7abc-8123-456789abcdee");
    const auto sagas =
        read_saga_list_request(asking({{"status", "COMPENSATING"}, {"type", "ORDER_CANCELLATION"}}))
            .value();
    EXPECT_EQ(sagas.filter.status, domain::SagaStatus::compensating);
    EXPECT_EQ(sagas.filter.type, domain::SagaType::cancellation);
}

TEST(ReadList, TakesTheFormsOfPeople) {
    const auto list = read_list_request(asking({{"status", "shipped"},
                                                {"customerId", ""},
                                                {"externalRef", " 536365 "},
                                                {"createdFrom", "2023-11-14"},
                                                {"createdTo", "2023-11-14T23:13:21 01:00"},
                                                {"limit", " 7"},
                                                {"cursor", ""}}))
                          .value();
    EXPECT_EQ(list.filter.statuses, std::vector{domain::Status::shipped});
    EXPECT_FALSE(list.filter.customer || list.after);
    EXPECT_EQ(list.filter.external_ref, "536365");
    EXPECT_EQ(list.filter.created_from, Instant::parse("2023-11-14T00:00:00Z"));
    EXPECT_EQ(list.filter.created_to, Instant{1'700'000'001'000'000});
    EXPECT_EQ(list.limit, 7U);
    EXPECT_EQ(pointers(read_list_request(
                           asking({{"createdFrom", "2023-11-14"}, {"createdTo", "2023-11-13"}}))
                           .error()),
              std::vector<std::string>{"createdTo"});
}

TEST(ReadList, TakesSeveralStatusesInOneParameterOrMany) {
    const std::vector wanted{domain::Status::pending, domain::Status::confirmed,
                             domain::Status::cancelled};
    const auto statuses = [](Pairs query) {
        return read_list_request(asking(std::move(query))).value().filter.statuses;
    };
    EXPECT_EQ(statuses({{"status", "cancelled, PENDING,confirmed,"}}), wanted);
    EXPECT_EQ(statuses({{"status", "PENDING"}, {"status", "CANCELLED,CONFIRMED,PENDING"}}), wanted);
    EXPECT_TRUE(statuses({{"status", ","}}).empty());
    const auto refused = read_list_request(asking({{"status", "PENDING,OPEN"}}));
    ASSERT_FALSE(refused);
    EXPECT_EQ(pointers(refused.error()), std::vector<std::string>{"status"});
}

TEST(ReadList, ListsByUpdateFromATimeOrWhenItIsSaid) {
    const auto list = read_list_request(asking({{"updatedFrom", "2023-11-14T22:13:20Z"},
                                                {"sku", "A 1"},
                                                {"stuck", "true"},
                                                {"view", "summary"}}))
                          .value();
    EXPECT_TRUE(list.is_by_update && list.is_summary && list.filter.is_stuck);
    EXPECT_EQ(list.filter.updated_from, Instant{1'700'000'000'000'000});
    EXPECT_EQ(list.filter.sku, "A 1");
    const app::UpdatedCursor cursor{
        Instant{1'700'000'000'000'001},
        *domain::OrderId::parse("018bcfe5-687b-7abc-8123-456789abcdee")};
    const auto next =
        read_list_request(asking({{"sort", "updatedAt"}, {"cursor", text_of(cursor)}})).value();
    EXPECT_EQ(next.after_update->updated_at, cursor.updated_at);
    EXPECT_EQ(next.after_update->id, cursor.id);
    EXPECT_FALSE(next.after || next.filter.updated_from || next.is_summary);
    EXPECT_FALSE(read_list_request(asking({{"sort", "createdAt"}})).value().is_by_update);
    for (const Pairs& wrong :
         {Pairs{{"sort", "createdAt"}, {"updatedFrom", "2023-11-14"}}, Pairs{{"sort", "updated"}},
          Pairs{{"stuck", "yes"}}, Pairs{{"view", "short"}},
          Pairs{{"sort", "updatedAt"}, {"cursor", cursor.id.text()}},
          Pairs{{"cursor", text_of(cursor)}}})
        EXPECT_FALSE(read_list_request(asking(wrong))) << wrong.front().first;
    for (const auto* text : {"", ".", "1", "x.018bcfe5-687b-7abc-8123-456789abcdee", "1."})
        EXPECT_FALSE(parse_updated_cursor(text)) << text;
}

TEST(ReadWait, UnderstandsBothForms) {
    EXPECT_FALSE(read_wait(asking({})).value());
    EXPECT_EQ(read_wait(asking({{"wait", "confirmed"}})).value(),
              Duration(std::chrono::seconds(5)));
    EXPECT_EQ(read_wait(asking({}, {{"prefer", "wait=2"}})).value(),
              Duration(std::chrono::seconds(2)));
    EXPECT_EQ(read_wait(asking({}, {{"prefer", "wait=99"}})).value(),
              Duration(std::chrono::seconds(5)));
    EXPECT_FALSE(read_wait(asking({{"wait", "shipped"}})));
    EXPECT_EQ(read_wait(asking({{"wait", "confirmed"}, {"timeout", "2"}})).value(),
              Duration(std::chrono::seconds(2)));
    EXPECT_EQ(read_wait(asking({{"wait", "confirmed"}}, {{"prefer", "wait=1"}})).value(),
              Duration(std::chrono::seconds(5)));
    EXPECT_FALSE(read_wait(asking({{"timeout", "2"}})).value());
    EXPECT_FALSE(read_wait(asking({{"wait", ""}, {"timeout", ""}})).value());
    for (const auto* timeout : {"0", "6", "-1", "1.5", "x"}) {
        EXPECT_EQ(
            pointers(read_wait(asking({{"wait", "confirmed"}, {"timeout", timeout}})).error()),
            std::vector<std::string>{"timeout"})
            << timeout;
    }
    EXPECT_EQ(read_wait(asking({}, {{"prefer", "wait=3, respond-async"}})).value(),
              Duration(std::chrono::seconds(3)));
    // A preference that is not understood is ignored.
    for (const auto* prefer : {"wait=0", "wait=-1", "wait=", "wait=x", "respond-async"})
        EXPECT_FALSE(read_wait(asking({}, {{"prefer", prefer}})).value()) << prefer;
    EXPECT_EQ(read_wait(asking({}, {{"prefer", "wait=1"}})).value(),
              Duration(std::chrono::seconds(1)));
}

}  // namespace
}  // namespace trackops::order::adapters
