// Today's decoder reads the messages that released versions have published (tests/fixtures).
#include <filesystem>
#include <fstream>
#include <set>

#include <gtest/gtest.h>

#include "events/decode.hpp"
#include "events/encode.hpp"
#include "platform/json/reader.hpp"

namespace trackops::events {
namespace {

struct Recorded {
    std::string version;
    std::string topic;
    std::string value;
};

// Returns true for a message that no TrackOps program published: one in a dead-letter topic, or
// one that the recording planted (header x-planted).
bool is_foreign(const json::Value& message, std::string_view topic) {
    bool is_excluded = topic.ends_with(".DLT");
    message.find("headers")->each_element([&](std::size_t, json::Value header) {
        header.each_element([&](std::size_t i, json::Value word) {
            is_excluded = is_excluded || (i == 0 && word.text() == "x-planted");
        });
    });
    return is_excluded;
}

std::vector<Recorded> messages_of(const std::filesystem::path& version) {
    std::vector<Recorded> messages;
    std::ifstream file(version / "servers" / "messages.jsonl");
    for (std::string line; std::getline(file, line);) {
        const auto document = json::Document::parse(line);
        if (!document) {
            ADD_FAILURE() << version << ": " << line;
            continue;
        }
        const json::Value message = document->root();
        const std::string topic(*message.find("topic")->text());
        if (is_foreign(message, topic)) continue;
        messages.push_back(
            {version.filename(), topic, std::string(*message.find("value")->text())});
    }
    return messages;
}

// Returns the messages of all versions. A folder whose name begins with a digit is a version.
std::vector<Recorded> recorded_messages() {
    std::vector<Recorded> all;
    for (const auto& entry : std::filesystem::directory_iterator(TRACKOPS_FIXTURES)) {
        const std::string name = entry.path().filename();
        if (!entry.is_directory() || name.front() < '0' || name.front() > '9') continue;
        const auto messages = messages_of(entry.path());
        EXPECT_FALSE(messages.empty()) << entry.path();
        all.insert(all.end(), messages.begin(), messages.end());
    }
    return all;
}

// Returns true if `whole` has every member of `part` with the same content. It may have more.
bool contains(const json::Value& whole, const json::Value& part) {
    if (part.kind() == json::Kind::object) {
        bool has_all = whole.kind() == json::Kind::object;
        part.each_member([&](std::string_view name, json::Value member) {
            const auto found = whole.find(name);
            has_all = has_all && found && contains(*found, member);
        });
        return has_all;
    }
    if (part.kind() != json::Kind::array) return whole.minified() == part.minified();
    std::vector<json::Value> elements;
    whole.each_element([&](std::size_t, json::Value element) { elements.push_back(element); });
    bool has_all = elements.size() == part.size();
    part.each_element([&](std::size_t i, json::Value element) {
        has_all = has_all && contains(elements.at(i), element);
    });
    return has_all;
}

TEST(RecordedMessages, AreOfEveryTypeThatThereWas) {
    std::set<std::string, std::less<>> types;
    for (const Recorded& message : recorded_messages()) types.insert(message.topic);
    // Version 0.1 did not have it.
    for (const auto type : order_topics)
        EXPECT_TRUE(types.contains(type) || type == OrderUpdated::type ||
                    type == CustomerErased::type)
            << type;
    for (const auto type : inventory_topics) EXPECT_TRUE(types.contains(type)) << type;
}

TEST(RecordedMessages, AreDecoded) {
    for (const auto& [version, topic, value] : recorded_messages()) {
        const auto event = decode(topic, value);
        ASSERT_TRUE(event) << version << " " << topic << " " << value << ": "
                           << event.error().detail;
        EXPECT_EQ(type_of(*event), topic);
    }
}

// A field that the decoder no longer reads would be missing here.
TEST(RecordedMessages, LoseNothingWhenTheyAreDecoded) {
    for (const auto& [version, topic, value] : recorded_messages()) {
        const auto event = decode(topic, value);
        ASSERT_TRUE(event) << version << " " << topic << " " << value;
        const auto before = json::Document::parse(value);
        const auto after = json::Document::parse(encode(*event));
        ASSERT_TRUE(before && after);
        EXPECT_TRUE(contains(after->root(), before->root()))
            << version << " " << topic << "\nrecorded " << value << "\nread     " << encode(*event);
    }
}

}  // namespace
}  // namespace trackops::events
