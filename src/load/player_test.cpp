// The player against a wire in virtual time: no network, no waiting, the same in every run.
#include "load/player.hpp"

#include <algorithm>
#include <map>
#include <sstream>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "load/items.hpp"

namespace trackops::load {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class FakeWire final : public Wire {
public:
    using Server = std::function<Result<Answer>(const Call&)>;
    explicit FakeWire(Server server) : server_(std::move(server)) {}

    void send(Call call, Done done) override {
        calls.push_back({call, now_});
        most_at_once = std::max(most_at_once, ++under_way_);
        const auto taken = call.path.ends_with("/status") ? status_latency : latency;
        after(taken, [this, call = std::move(call), done = std::move(done)]() mutable {
            --under_way_;
            done(server_(call));
        });
    }
    void after(Duration pause, std::move_only_function<void()> then) override {
        events_.emplace(now_ + pause, std::move(then));
    }
    Duration elapsed() const override { return now_; }
    void run() override {
        while (!events_.empty() && !is_stopped_) {
            auto next = events_.extract(events_.begin());
            now_ = next.key();
            next.mapped()();
        }
    }
    void stop() override { is_stopped_ = true; }

    struct Sent {
        Call call;
        Duration at;
    };
    std::vector<Sent> sent_to(std::string_view path) const {
        std::vector<Sent> found;
        std::ranges::copy_if(calls, std::back_inserter(found), [&](const Sent& sent) {
            return sent.call.path.find(path) != std::string::npos;
        });
        return found;
    }
    std::vector<Sent> calls;
    std::size_t most_at_once = 0;
    Duration latency = milliseconds(2);
    Duration status_latency = milliseconds(2);

private:
    Server server_;
    std::multimap<Duration, std::move_only_function<void()>> events_;
    Duration now_{};
    std::size_t under_way_ = 0;
    bool is_stopped_ = false;
};

// Places what it is asked to, under ids counted up; confirms at the nth time it is asked for the
// status.
class Shop {
public:
    Result<Answer> operator()(const Call& call) {
        if (call.path == "/api/orders") {
            if (call.body.find("bad") != std::string::npos)
                return Answer{
                    .status = 422,
                    .body = R"({"code":"invalid-request","detail":"no","errors":[)"
                            R"({"pointer":"/items","detail":"is missing","code":"required"}]})"};
            const auto [place, is_new] = keys_.try_emplace(call.idempotency_key, keys_.size() + 1);
            return Answer{
                .status = 201, .body = order(place->second, "PENDING"), .is_replayed = !is_new};
        }
        if (call.path.ends_with("/status")) {
            const auto id = std::stoul(call.path.substr(12, 36).substr(24));
            const bool is_still_pending = ++asked_[id] < confirms_at;
            return Answer{.status = 200, .body = order(id, is_still_pending ? "PENDING" : outcome)};
        }
        if (call.path.ends_with("/cancel")) {
            const auto id = std::stoul(call.path.substr(12, 36).substr(24));
            return Answer{.status = 200,
                          .body = order(id, R"(CANCELLED","cancelReason":"CUSTOMER_REQUEST)")};
        }
        return Answer{.status = 201, .body = "{}"};
    }
    std::size_t placed() const { return keys_.size(); }
    int confirms_at = 2;
    std::string outcome = "CONFIRMED";

private:
    static std::string order(std::size_t id, std::string_view status) {
        return fmt::format(
            R"({{"id":"00000000-0000-7000-8000-{:012}","status":"{}",)"
            R"("createdAt":"2026-01-01T00:00:00Z","updatedAt":"2026-01-01T00:00:00.25Z"}})",
            id, status);
    }
    std::map<std::string, std::size_t> keys_;
    std::map<std::size_t, int> asked_;
};

LoadReport play(FakeWire& wire, const std::string& text, LoadOptions options = {}) {
    std::istringstream lines(text);
    Lines input({lines});
    return Player(options, wire, input, "run").play({});
}

std::string orders(int count) {
    std::string text;
    for (int number = 1; number <= count; ++number)
        text += fmt::format("{{\"order\":{{\"externalRef\":\"r{}\"}}}}\n", number);
    return text;
}

FakeWire::Server through(Shop& shop) {
    return [&shop](const Call& call) { return shop(call); };
}

TEST(Player, PlacesOrdersAndFollowsThemUntilTheyAreConfirmed) {
    Shop shop;
    FakeWire wire(through(shop));
    const auto report = play(wire, orders(100), {.concurrency = 8});
    EXPECT_EQ(report.orders.done, 100);
    EXPECT_EQ(report.confirmed, 100);
    EXPECT_EQ(report.to_accepted.p50, milliseconds(2));
    EXPECT_NEAR(static_cast<double>(report.to_confirmed.p50.count()), 250'000, 2'500);
    EXPECT_EQ(report.to_seen.count, 100);
    EXPECT_GE(report.to_seen.p50, milliseconds(14));
    EXPECT_TRUE(report.is_good());
    EXPECT_LE(wire.most_at_once, 8U);
    EXPECT_EQ(wire.calls[0].call.idempotency_key, "r1");
}

TEST(Player, KeepsAnOrdersCallsInTheirSequence) {
    Shop shop;
    FakeWire wire(through(shop));
    const auto report =
        play(wire, orders(3) + R"({"cancel":{"externalRef":"r2","reason":"CUSTOMER_REQUEST"}})");
    const auto cancels = wire.sent_to("/cancel");
    ASSERT_EQ(cancels.size(), 1U);
    EXPECT_GE(cancels[0].at, milliseconds(2));  // after the answer to its order
    EXPECT_EQ(cancels[0].call.path, "/api/orders/00000000-0000-7000-8000-000000000002/cancel");
    EXPECT_EQ(report.cancels.done, 1);
    EXPECT_EQ(report.confirmed, 2);
    EXPECT_EQ(report.cancelled, (Counts{{"CUSTOMER_REQUEST", 1}}));
    EXPECT_EQ(report.pending, 0);
}

TEST(Player, CountsAConfirmedOrderThatIsCancelledOnce) {
    Shop shop;
    shop.confirms_at = 1;
    FakeWire wire(through(shop));
    LoadOptions slow{.concurrency = 1, .rate_per_second = 1};
    const auto report = play(wire, orders(1) + R"({"cancel":{"externalRef":"r1"}})", slow);
    EXPECT_EQ(report.confirmed, 0);
    EXPECT_EQ(report.cancelled, (Counts{{"CUSTOMER_REQUEST", 1}}));
    EXPECT_EQ(report.to_confirmed.count, 1);
}

TEST(Player, BelievesACancellationMoreThanAPollThatWasAskedBefore) {
    Shop shop;
    shop.confirms_at = 1;
    FakeWire wire(through(shop));
    wire.status_latency =
        milliseconds(100);  // asked at 12 ms, while the cancel goes from 20 to 22 ms
    LoadOptions slow{.rate_per_second = 50};
    const auto report =
        play(wire, orders(1) + R"({"cancel":{"externalRef":"r1"}})" + "\n" + orders(20), slow);
    EXPECT_EQ(report.cancelled, (Counts{{"CUSTOMER_REQUEST", 1}}));
    EXPECT_EQ(report.confirmed, 19);
}

TEST(Player, AnswersACancelOfWhatWasNotAccepted) {
    Shop shop;
    FakeWire wire(through(shop));
    const auto report = play(wire, R"({"order":{"externalRef":"r1","x":"bad"}})"
                                   "\n"
                                   R"({"cancel":{"externalRef":"r1"}})"
                                   "\n"
                                   R"({"cancel":{"externalRef":"r1"}})");
    EXPECT_EQ(report.orders.refused, (Counts{{"invalid-request", 1}}));
    EXPECT_EQ(report.cancels.refused, (Counts{{"no-such-order", 2}}));
    ASSERT_EQ(report.examples.size(), 3U);
    EXPECT_EQ(report.examples[0], "invalid-request: order r1: no; /items is missing");
    EXPECT_TRUE(report.is_good());
    EXPECT_TRUE(wire.sent_to("/cancel").empty());
}

TEST(Player, CountsWhatTheInputRefusesAndWhatItCannotRead) {
    Shop shop;
    FakeWire wire(through(shop));
    const auto report =
        play(wire, R"({"refused":{"externalRef":"1","reason":"no goods"}})"
                   "\n{oops\n"
                   R"({"adjust":{"sku":"a b","delta":2,"reason":"RETURN","key":"C1-1"}})");
    EXPECT_EQ(report.not_sent, (Counts{{"no goods", 1}}));
    EXPECT_EQ(report.unreadable, 1);
    EXPECT_EQ(report.adjustments.done, 1);
    ASSERT_EQ(wire.calls.size(), 1U);
    EXPECT_EQ(wire.calls[0].call.path, "/api/inventory/items/a%20b/adjustments");
    EXPECT_EQ(wire.calls[0].call.idempotency_key, "C1-1");
    EXPECT_EQ(wire.calls[0].call.target, Target::inventory);
}

TEST(Player, TriesAgainUnderTheSameKeySoThatNothingDoubles) {
    Shop shop;
    int calls = 0;
    FakeWire wire([&](const Call& call) -> Result<Answer> {
        auto answer = shop(call);
        ++calls;
        if (calls == 1) return fail(Errc::unavailable, "lost after it was handled");
        if (calls == 2) return Answer{.status = 503, .body = "", .retry_after = seconds(3)};
        return answer;
    });
    const auto report = play(wire, orders(1));
    EXPECT_EQ(shop.placed(), 1U);
    EXPECT_EQ(report.orders.done, 1);
    EXPECT_EQ(report.replayed, 1);
    EXPECT_EQ(report.retried, 2);
    const auto placed = wire.sent_to("/api/orders");
    EXPECT_GE(placed[2].at - placed[1].at, seconds(3));  // as Retry-After asks
    EXPECT_TRUE(report.is_good());
}

TEST(Player, GivesUpOnAServerThatStaysAway) {
    FakeWire wire([](const Call&) { return fail(Errc::unavailable, "nobody there"); });
    const auto report = play(wire, orders(1000), {.concurrency = 4});
    EXPECT_EQ(report.orders.asked, 4);
    EXPECT_EQ(report.orders.failed, 4);
    EXPECT_EQ(report.unplayed, 996);
    EXPECT_EQ(wire.calls.size(), 4U * tries_max);
    EXPECT_FALSE(report.is_good());
}

TEST(Player, SaysWhatStayedPendingAfterTheWait) {
    Shop shop;
    shop.confirms_at = 1'000'000;
    FakeWire wire(through(shop));
    const auto report = play(wire, orders(3), {.wait = seconds(10)});
    EXPECT_EQ(report.pending, 3);
    EXPECT_FALSE(report.is_good());
    EXPECT_GE(report.duration, seconds(10));
    EXPECT_LE(report.duration, seconds(11));
    EXPECT_LT(wire.sent_to("/status").size(), 3U * 25);  // the intervals grow
}

TEST(Player, SaysWhichOrdersTheServerForgot) {
    Shop shop;
    FakeWire wire([&](const Call& call) -> Result<Answer> {
        if (call.path.ends_with("/status")) return Answer{.status = 404};
        return shop(call);
    });
    const auto report = play(wire, orders(2));
    EXPECT_EQ(report.lost, 2);
    EXPECT_FALSE(report.is_good());
}

TEST(Player, CountsFromTheIntendedStartWhenARateIsAsked) {
    Shop shop;
    FakeWire wire(through(shop));
    wire.latency = milliseconds(100);  // ten times slower than the rate, one at a time
    const auto report = play(wire, orders(50), {.concurrency = 1, .rate_per_second = 100});
    // The last one should have left at 490 ms and was answered at 5 s at the earliest.
    EXPECT_GE(report.to_accepted.max, milliseconds(4'500));
    EXPECT_TRUE(report.from_intended_start);
}

TEST(Player, KeepsToTheRate) {
    Shop shop;
    FakeWire wire(through(shop));
    play(wire, orders(20), {.concurrency = 64, .rate_per_second = 10});
    const auto placed = wire.sent_to("/api/orders");
    std::vector<Duration> times;
    for (const auto& sent : placed)
        if (sent.call.path == "/api/orders") times.push_back(sent.at);
    ASSERT_EQ(times.size(), 20U);
    for (std::size_t number = 0; number < times.size(); ++number)
        EXPECT_EQ(times[number], milliseconds(100) * number);
}

TEST(ItemLoad, SendsChunksAndCountsEachLine) {
    FakeWire wire([](const Call& call) -> Result<Answer> {
        std::string body;
        for (std::size_t at = 0; (at = call.body.find('\n', at)) != std::string::npos; ++at)
            body += body.empty()
                        ? "{\"status\":422,\"code\":\"invalid-request\",\"detail\":\"no\"}\n"
                        : "{\"status\":201}\n";
        return Answer{.status = 200, .body = body};
    });
    std::string text;
    for (int number = 0; number < 1200; ++number)
        text += fmt::format("{{\"sku\":\"{}\"}}\n", number);
    std::istringstream lines(text);
    Lines input({lines});
    const auto report = ItemLoad(wire, input).play({});
    EXPECT_EQ(wire.calls.size(), 3U);
    EXPECT_EQ(report.items.asked, 1200);
    EXPECT_EQ(report.items.done, 1197);
    EXPECT_EQ(report.items.refused, (Counts{{"invalid-request", 3}}));
}

TEST(ItemLoad, CountsAWholeChunkThatFails) {
    FakeWire wire([](const Call&) -> Result<Answer> { return Answer{.status = 415, .body = ""}; });
    std::istringstream lines("{}\n{}\n");
    Lines input({lines});
    const auto report = ItemLoad(wire, input).play({});
    EXPECT_EQ(report.items.refused, (Counts{{"http-415", 2}}));
    EXPECT_EQ(report.items.done, 0);
}

struct RetryCase {
    int status;
    Duration retry_after;
    bool again;
};

TEST(Courier, TriesAgainOnlyWhatMayEndOtherwise) {
    for (const auto& [status, retry_after, again] :
         std::initializer_list<RetryCase>{{200, {}, false},
                                          {404, {}, false},
                                          {409, {}, false},
                                          {409, seconds(1), true},
                                          {422, {}, false},
                                          {408, {}, true},
                                          {429, {}, true},
                                          {500, {}, true},
                                          {503, {}, true}})
        EXPECT_EQ(pause_before_retry(Answer{.status = status, .retry_after = retry_after}, 1, 0)
                      .has_value(),
                  again)
            << status;
}

TEST(Courier, WaitsLongerEachTimeAndNotForEver) {
    const Result<Answer> lost = fail(Errc::unavailable, "");
    Duration before{};
    for (int tries = 1; tries < tries_max; ++tries) {
        const auto pause = pause_before_retry(lost, tries, 15);
        ASSERT_TRUE(pause);
        EXPECT_GE(*pause, before);
        EXPECT_LE(*pause, pause_max * 3 / 2);
        before = *pause;
    }
    EXPECT_FALSE(pause_before_retry(lost, tries_max, 0));
    EXPECT_LE(*pause_before_retry(Answer{.status = 503, .retry_after = seconds(9999)}, 1, 0),
              retry_after_max * 2);
}

}  // namespace
}  // namespace trackops::load
