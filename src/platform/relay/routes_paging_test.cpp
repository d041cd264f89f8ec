// The lists of the relay, read page by page while rows are added and removed.
#include <gtest/gtest.h>

#include "platform/json/reader.hpp"
#include "platform/relay/relay_for_tests.hpp"
#include "platform/relay/routes.hpp"
#include "platform/relay/routes_for_tests.hpp"

namespace trackops::relay {
namespace {

using bus::Delivery;

class RelayPages : public RelayForTests {
protected:
    struct Page {
        std::string names;
        std::string next;  // "" on the last page
    };
    Page page(std::string_view state, std::size_t limit, const std::string& cursor) {
        Query query = {{"state", std::string(state)}, {"limit", std::to_string(limit)}};
        if (!cursor.empty()) query.emplace_back("cursor", cursor);
        const http::Response answer =
            ask(relay_routes(*relay_), "GET", "/api/relay/events", std::move(query));
        EXPECT_EQ(answer.status, 200) << answer.body;
        const auto document = json::Document::parse(answer.body);
        Page page;
        const auto items = document->root().find("items");
        EXPECT_LE(items->size(), limit);
        items->each_element([&](std::size_t, json::Value item) {
            const auto key = Uuid::parse(*item.find("key")->text());
            if (!page.names.empty()) page.names += ' ';
            page.names += fmt::format("{}{}", static_cast<char>(key->bytes[15]),
                                      *item.find("sequence")->integer());
        });
        page.next = document->root().find("nextCursor")->text().value_or("");
        EXPECT_EQ(answer.headers.empty(), page.next.empty());
        return page;
    }
    // Returns all pages, e.g. "a1 a2|b1". Calls `between` after each page with its number.
    std::string walk(
        std::string_view state, std::size_t limit,
        const std::function<void(int)>& between = [](int) {}) {
        std::string text;
        Page at;
        int number = 0;
        do {
            at = page(state, limit, at.next);
            text += (number > 0 ? "|" : "") + at.names;
            between(++number);
        } while (!at.next.empty() && number < 20);
        return text;
    }
    void park(std::string_view events) {
        bus_.script = [](const std::string&) { return Delivery::refused; };
        outbox_.commit(events);
        run();
        take_all();
    }
};
INSTANTIATE_TEST_SUITE_P(Databases, RelayPages, ::testing::ValuesIn(testing::databases));

// All events have the same time; a key has several events, in one transaction and in several.
TEST_P(RelayPages, OfWhatIsNotPublishedGiveEachEventOnce) {
    outbox_.commit("a1 b1 a2");
    outbox_.commit("c1");
    outbox_.commit("a3");
    EXPECT_EQ(walk("unpublished", 1), "a1|b1|a2|c1|a3");
    EXPECT_EQ(walk("unpublished", 2), "a1 b1|a2 c1|a3");
    EXPECT_EQ(walk("unpublished", 3), "a1 b1 a2|c1 a3");
    EXPECT_EQ(walk("unpublished", 5), "a1 b1 a2 c1 a3");
    EXPECT_EQ(walk("unpublished", 6), "a1 b1 a2 c1 a3");
    EXPECT_EQ(walk("parked", 1), "");
}

TEST_P(RelayPages, OfWhatIsParkedGiveEachEventOnce) {
    park("a1 b1 a2");
    park("c1 a3");
    EXPECT_EQ(walk("parked", 1), "a1|b1|a2|c1|a3");
    EXPECT_EQ(walk("parked", 2), "a1 b1|a2 c1|a3");
    EXPECT_EQ(walk("parked", 3), "a1 b1 a2|c1 a3");
    EXPECT_EQ(walk("parked", 6), "a1 b1 a2 c1 a3");
    EXPECT_EQ(walk("unpublished", 1), "");
}

TEST_P(RelayPages, ShowWhatComesMeanwhileAtTheirEnd) {
    outbox_.commit("a1 b1");
    EXPECT_EQ(walk("unpublished", 1,
                   [this](int number) {
                       if (number == 1) outbox_.commit("a2 c1");
                       if (number == 3) outbox_.commit("d1");
                   }),
              "a1|b1|a2|c1|d1");
    run();
    park("e1 f1");
    EXPECT_EQ(walk("parked", 1,
                   [this](int number) {
                       if (number == 1) park("e2 g1");
                   }),
              "e1|f1|e2|g1");
}

// The event that the cursor names, events before it or events after it are gone.
TEST_P(RelayPages, SkipAndRepeatNothingWhenEventsArePublishedMeanwhile) {
    outbox_.commit("a1 b1 c1");
    EXPECT_EQ(walk("unpublished", 2,
                   [this](int number) {
                       if (number != 1) return;
                       run();
                       outbox_.commit("d1 e1 f1");
                   }),
              "a1 b1|d1 e1|f1");
    run();
    outbox_.commit("g1 h1");
    EXPECT_EQ(walk("unpublished", 1, [this](int) { run(); }), "g1|");
}

TEST_P(RelayPages, SkipAndRepeatNothingWhenParkedEventsLeaveMeanwhile) {
    park("a1 b1 c1 d1 e1");
    EXPECT_EQ(walk("parked", 2,
                   [this](int number) {
                       if (number != 1) return;
                       EXPECT_TRUE(retry(id("b1")));  // named by the cursor
                       EXPECT_TRUE(retry(id("d1")));  // on the next page
                   }),
              "a1 b1|c1 e1");
    EXPECT_EQ(walk("parked", 1,
                   [this](int number) {
                       if (number != 2) return;
                       EXPECT_TRUE(retry(id("e1")));  // the last
                   }),
              "a1|c1|");
    EXPECT_EQ(parked(), "a1! c1!");
}

}  // namespace
}  // namespace trackops::relay
