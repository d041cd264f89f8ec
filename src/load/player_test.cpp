// Tests of the player with a fake HTTP client in virtual time: no network, no waiting, repeatable.
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

class FakeWire final : public HttpClient {
public:
    using Server = std::function<Result<Response>(const Request&)>;
    explicit FakeWire(Server server) : server_(std::move(server)) {}

    void send(Request call, Done done) override {
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
        Request call;
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

// A fake order service. It accepts orders under ids that count up and confirms an order at the nth
// status request.
class Shop {
public:
    Result<Response> operator()(const Request& call) {
        if (call.path == "/api/orders") {
            if (call.body.find("bad") != std::string::npos)
                return Response{
                    .status = 422,
                    .body = R"({"code":"invalid-request","detail":"no","errors":[)"
                            R"({"pointer":"/items","detail":"is missing","code":"required"}]})"};
            const auto [place, is_new] = keys_.try_emplace(call.idempotency_key, keys_.size() + 1);
            return Response{
                .status = 201, .body = order(place->second, "PENDING"), .is_replayed = !is_new};
        }
        if (call.path.ends_with("/status")) {
            const auto id = std::stoul(call.path.substr(12, 36).substr(24));
            const bool is_still_pending = ++asked_[id] < confirms_at;
            return Response{.status = 200,
                            .body = order(id, is_still_pending ? "PENDING" : outcome)};
        }
        if (call.path.ends_with("/cancel")) {
            const auto id = std::stoul(call.path.substr(12, 36).substr(24));
            return Response{.status = 200,
                            .body = order(id, R"(CANCELLED","cancelReason":"CUSTOMER_REQUEST)")};
        }
        return Response{.status = 201, .body = "{}"};
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

LoadReport play(FakeWire& client, const std::string& text, LoadOptions options = {}) {
    std::istringstream lines(text);
    LineReader input({lines});
    return Player(options, client, input, "run").play({});
}

std::string orders(int count) {
    std::string text;
    for (int number = 1; number <= count; ++number)
        text += fmt::format("{{\"order\":{{\"externalRef\":\"r{}\"}}}}\n", number);
    return text;
}

FakeWire::Server through(Shop& shop) {
    return [&shop](const Request& call) { return shop(call); };
}

TEST(Player, PlacesOrdersAndFollowsThemUntilTheyAreConfirmed) {
    Shop shop;
    FakeWire client(through(shop));
    const auto report = play(client, orders(100), {.concurrency = 8});
    EXPECT_EQ(report.orders.done, 100);
    EXPECT_EQ(report.confirmed, 100);
    EXPECT_EQ(report.to_accepted.p50, milliseconds(2));
    EXPECT_NEAR(static_cast<double>(report.to_confirmed.p50.count()), 250'000, 2'500);
    EXPECT_EQ(report.to_seen.count, 100);
    EXPECT_GE(report.to_seen.p50, milliseconds(14));
    EXPECT_TRUE(report.has_succeeded());
    EXPECT_LE(client.most_at_once, 8U);
    EXPECT_EQ(client.calls[0].call.idempotency_key, "r1");
}

TEST(Player, KeepsAnOrdersCallsInTheirSequence) {
    Shop shop;
    FakeWire client(through(shop));
    const auto report =
        play(client, orders(3) + R"({"cancel":{"externalRef":"r2","reason":"CUSTOMER_REQUEST"}})");
    const auto cancels = client.sent_to("/cancel");
    ASSERT_EQ(cancels.size(), 1U);
    // The cancel leaves after the response to its order.
    EXPECT_GE(cancels[0].at, milliseconds(2));
    EXPECT_EQ(cancels[0].call.path, "/api/orders/00000000-0000-7000-8000-000000000002/cancel");
    EXPECT_EQ(report.cancels.done, 1);
    EXPECT_EQ(report.confirmed, 2);
    EXPECT_EQ(report.cancelled, (Counts{{"CUSTOMER_REQUEST", 1}}));
    EXPECT_EQ(report.pending, 0);
}

TEST(Player, CountsAConfirmedOrderThatIsCancelledOnce) {
    Shop shop;
    shop.confirms_at = 1;
    FakeWire client(through(shop));
    LoadOptions slow{.concurrency = 1, .rate_per_second = 1};
    const auto report = play(client, orders(1) + R"({"cancel":{"externalRef":"r1"}})", slow);
    EXPECT_EQ(report.confirmed, 0);
    EXPECT_EQ(report.cancelled, (Counts{{"CUSTOMER_REQUEST", 1}}));
    EXPECT_EQ(report.to_confirmed.count, 1);
}

TEST(Player, BelievesACancellationMoreThanAPollThatWasAskedBefore) {
    Shop shop;
    shop.confirms_at = 1;
    FakeWire client(through(shop));
    // The poll leaves at 12 ms and is answered after the cancel, which takes from 20 to 22 ms.
    client.status_latency = milliseconds(100);
    LoadOptions slow{.rate_per_second = 50};
    const auto report =
        play(client, orders(1) + R"({"cancel":{"externalRef":"r1"}})" + "\n" + orders(20), slow);
    EXPECT_EQ(report.cancelled, (Counts{{"CUSTOMER_REQUEST", 1}}));
    EXPECT_EQ(report.confirmed, 19);
}

TEST(Player, AnswersACancelOfWhatWasNotAccepted) {
    Shop shop;
    FakeWire client(through(shop));
    const auto report = play(client, R"({"order":{"externalRef":"r1","x":"bad"}})"
                                     "\n"
                                     R"({"cancel":{"externalRef":"r1"}})"
                                     "\n"
                                     R"({"cancel":{"externalRef":"r1"}})");
    EXPECT_EQ(report.orders.refused, (Counts{{"invalid-request", 1}}));
    EXPECT_EQ(report.cancels.refused, (Counts{{"no-such-order", 2}}));
    ASSERT_EQ(report.examples.size(), 3U);
    EXPECT_EQ(report.examples[0], "invalid-request: order r1: no; /items is missing");
    EXPECT_TRUE(report.has_succeeded());
    EXPECT_TRUE(client.sent_to("/cancel").empty());
}

TEST(Player, CountsWhatTheInputRefusesAndWhatItCannotRead) {
    Shop shop;
    FakeWire client(through(shop));
    const auto report =
        play(client, R"({"refused":{"externalRef":"1","reason":"no goods"}})"
                     "\n{oops\n"
                     R"({"adjust":{"sku":"a b","delta":2,"reason":"RETURN","key":"C1-1"}})");
    EXPECT_EQ(report.not_sent, (Counts{{"no goods", 1}}));
    EXPECT_EQ(report.unreadable, 1);
    EXPECT_EQ(report.adjustments.done, 1);
    ASSERT_EQ(client.calls.size(), 1U);
    EXPECT_EQ(client.calls[0].call.path, "/api/inventory/items/a%20b/adjustments");
    EXPECT_EQ(client.calls[0].call.idempotency_key, "C1-1");
    EXPECT_EQ(client.calls[0].call.target, Target::inventory);
}

TEST(Player, TriesAgainUnderTheSameKeySoThatNothingDoubles) {
    Shop shop;
    int calls = 0;
    FakeWire client([&](const Request& call) -> Result<Response> {
        auto response = shop(call);
        ++calls;
        if (calls == 1) return fail(Errc::unavailable, "lost after it was handled");
        if (calls == 2) return Response{.status = 503, .body = "", .retry_after = seconds(3)};
        return response;
    });
    const auto report = play(client, orders(1));
    EXPECT_EQ(shop.placed(), 1U);
    EXPECT_EQ(report.orders.done, 1);
    EXPECT_EQ(report.replayed, 1);
    EXPECT_EQ(report.retried, 2);
    const auto placed = client.sent_to("/api/orders");
    // The delay that Retry-After requests.
    EXPECT_GE(placed[2].at - placed[1].at, seconds(3));
    EXPECT_TRUE(report.has_succeeded());
}

TEST(Player, GivesUpOnAServerThatStaysAway) {
    FakeWire client([](const Request&) { return fail(Errc::unavailable, "nobody there"); });
    const auto report = play(client, orders(1000), {.concurrency = 4});
    EXPECT_EQ(report.orders.asked, 4);
    EXPECT_EQ(report.orders.failed, 4);
    EXPECT_EQ(report.unplayed, 996);
    EXPECT_EQ(client.calls.size(), 4U * tries_max);
    EXPECT_FALSE(report.has_succeeded());
}

TEST(Player, ReportsOrdersThatStayedPending) {
    Shop shop;
    shop.confirms_at = 1'000'000;
    FakeWire client(through(shop));
    const auto report = play(client, orders(3), {.wait = seconds(10)});
    EXPECT_EQ(report.pending, 3);
    EXPECT_FALSE(report.has_succeeded());
    EXPECT_GE(report.duration, seconds(10));
    EXPECT_LE(report.duration, seconds(11));
    // The poll intervals grow.
    EXPECT_LT(client.sent_to("/status").size(), 3U * 25);
}

TEST(Player, ReportsOrdersUnknownToTheServer) {
    Shop shop;
    FakeWire client([&](const Request& call) -> Result<Response> {
        if (call.path.ends_with("/status")) return Response{.status = 404};
        return shop(call);
    });
    const auto report = play(client, orders(2));
    EXPECT_EQ(report.lost, 2);
    EXPECT_FALSE(report.has_succeeded());
}

TEST(Player, CountsFromTheIntendedStartWhenARateIsAsked) {
    Shop shop;
    FakeWire client(through(shop));
    // Ten times slower than the rate, with one request at a time.
    client.latency = milliseconds(100);
    const auto report = play(client, orders(50), {.concurrency = 1, .rate_per_second = 100});
    // The last order should have left at 490 ms and is answered at 5 s at the earliest.
    EXPECT_GE(report.to_accepted.max, milliseconds(4'500));
    EXPECT_TRUE(report.from_intended_start);
}

TEST(Player, KeepsToTheRate) {
    Shop shop;
    FakeWire client(through(shop));
    play(client, orders(20), {.concurrency = 64, .rate_per_second = 10});
    const auto placed = client.sent_to("/api/orders");
    std::vector<Duration> times;
    for (const auto& sent : placed)
        if (sent.call.path == "/api/orders") times.push_back(sent.at);
    ASSERT_EQ(times.size(), 20U);
    for (std::size_t number = 0; number < times.size(); ++number)
        EXPECT_EQ(times[number], milliseconds(100) * number);
}

TEST(ItemLoader, SendsChunksAndCountsEachLine) {
    FakeWire client([](const Request& call) -> Result<Response> {
        std::string body;
        for (std::size_t at = 0; (at = call.body.find('\n', at)) != std::string::npos; ++at)
            body += body.empty()
                        ? "{\"status\":422,\"code\":\"invalid-request\",\"detail\":\"no\"}\n"
                        : "{\"status\":201}\n";
        return Response{.status = 200, .body = body};
    });
    std::string text;
    for (int number = 0; number < 1200; ++number)
        text += fmt::format("{{\"sku\":\"{}\"}}\n", number);
    std::istringstream lines(text);
    LineReader input({lines});
    const auto report = ItemLoader(client, input).play({});
    EXPECT_EQ(client.calls.size(), 3U);
    EXPECT_EQ(report.items.asked, 1200);
    EXPECT_EQ(report.items.done, 1197);
    EXPECT_EQ(report.items.refused, (Counts{{"invalid-request", 3}}));
}

TEST(ItemLoader, CountsAWholeChunkThatFails) {
    FakeWire client(
        [](const Request&) -> Result<Response> { return Response{.status = 415, .body = ""}; });
    std::istringstream lines("{}\n{}\n");
    LineReader input({lines});
    const auto report = ItemLoader(client, input).play({});
    EXPECT_EQ(report.items.refused, (Counts{{"http-415", 2}}));
    EXPECT_EQ(report.items.done, 0);
}

struct RetryCase {
    int status;
    Duration retry_after;
    bool reschedule;
};

TEST(RetryingClient, TriesAgainOnlyWhatMayEndOtherwise) {
    for (const auto& [status, retry_after, reschedule] :
         std::initializer_list<RetryCase>{{200, {}, false},
                                          {404, {}, false},
                                          {409, {}, false},
                                          {409, seconds(1), true},
                                          {422, {}, false},
                                          {408, {}, true},
                                          {429, {}, true},
                                          {500, {}, true},
                                          {503, {}, true}})
        EXPECT_EQ(
            retry_delay(Response{.status = status, .retry_after = retry_after}, 1, 0).has_value(),
            reschedule)
            << status;
}

TEST(RetryingClient, WaitsLongerEachTimeAndNotForEver) {
    const Result<Response> lost = fail(Errc::unavailable, "");
    Duration before{};
    for (int tries = 1; tries < tries_max; ++tries) {
        const auto pause = retry_delay(lost, tries, 0.9);
        ASSERT_TRUE(pause);
        EXPECT_GE(*pause, before);
        EXPECT_LE(*pause, retry_backoff.longest);
        before = *pause;
    }
    EXPECT_FALSE(retry_delay(lost, tries_max, 0));
    EXPECT_EQ(retry_delay(Response{.status = 503, .retry_after = seconds(9999)}, 1, 0),
              retry_after_max + retry_backoff.first);
}

TEST(RetryingClient, SpreadsCallsThatWereToldTheSameDelay) {
    const Result<Response> busy = Response{.status = 503, .retry_after = seconds(1)};
    const auto early = retry_delay(busy, 1, 0.5);
    const auto late = retry_delay(busy, 1, 0);
    EXPECT_GE(*early, seconds(1)) << "never before the server asked for it";
    EXPECT_LT(*early, *late);
}

}  // namespace
}  // namespace trackops::load
