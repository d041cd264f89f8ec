// The examples and topics of contracts/events.yaml against the code of the events.
#include <fstream>
#include <set>
#include <sstream>

#include <gtest/gtest.h>

#include "events/decode.hpp"
#include "events/encode.hpp"
#include "platform/json/reader.hpp"

namespace trackops::events {
namespace {

json::Document contract() {
    std::stringstream text;
    text << std::ifstream(TRACKOPS_EVENTS_CONTRACT).rdbuf();
    auto document = json::Document::parse(text.str());
    if (!document) throw std::runtime_error("no contract in " TRACKOPS_EVENTS_CONTRACT);
    return *std::move(document);
}

// Calls `visit` with the topic and the payload of each example.
template <class Visit>
void each_example(const json::Document& document, Visit visit) {
    const json::Value messages = document.root().find("components")->find("messages").value();
    messages.each_member([&](std::string_view topic, json::Value message) {
        const auto examples = message.find("examples");
        if (!examples) return;
        examples->each_element([&](std::size_t, json::Value example) {
            visit(topic, example.find("payload").value());
        });
    });
}

TEST(EventsContract, HasATopicForEachTypeAndNoOther) {
    std::set<std::string, std::less<>> types(std::begin(order_topics), std::end(order_topics));
    types.insert(std::begin(inventory_topics), std::end(inventory_topics));
    std::set<std::string, std::less<>> topics;
    const json::Document document = contract();
    document.root().find("channels")->each_member([&](std::string_view, json::Value channel) {
        topics.emplace(*channel.find("address")->text());
    });
    EXPECT_EQ(topics.erase("{topic}.DLT"), 1U);
    EXPECT_EQ(topics, types);
}

TEST(EventsContract, HasExamplesThatAreReadAndWrittenAsTheyStand) {
    std::set<std::string, std::less<>> seen;
    const json::Document document = contract();
    each_example(document, [&](std::string_view topic, json::Value payload) {
        const auto event = decode(topic, payload.minified());
        ASSERT_TRUE(event) << topic << ": " << event.error().detail;
        EXPECT_EQ(type_of(*event), topic);
        EXPECT_EQ(encode(*event), payload.minified());
        seen.emplace(topic);
    });
    EXPECT_EQ(seen.size(), std::variant_size_v<Event>);
}

}  // namespace
}  // namespace trackops::events
