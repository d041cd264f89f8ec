#include "platform/http/rate_limiter.hpp"

#include <gtest/gtest.h>

namespace trackops::http {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const RateLimiter::Time start{seconds(1000)};
const ClientAddress somewhere = parse_client_address("192.0.2.1").value();
const Principal shop{.name = "key:shop"};
const Principal other{.name = "key:other"};
const Principal stranger{.name = "nobody", .is_authenticated = false};

// Returns how many of `count` requests at one time are admitted.
int admitted(RateLimiter& limiter, const Principal& caller, int count, RateLimiter::Time now,
             const ClientAddress& address = somewhere) {
    int all = 0;
    for (int i = 0; i < count; ++i) all += limiter.take(caller, address, now).is_admitted ? 1 : 0;
    return all;
}

TEST(RateLimiter, AdmitsTheQuotaAtOnceAndThenItsRate) {
    RateLimiter limiter({.of_principal = 5});
    EXPECT_EQ(admitted(limiter, shop, 100, start), 50);
    EXPECT_EQ(admitted(limiter, shop, 100, start + milliseconds(199)), 0);
    EXPECT_EQ(admitted(limiter, shop, 100, start + milliseconds(201)), 1);
    EXPECT_EQ(admitted(limiter, shop, 100, start + seconds(2)), 9);
    EXPECT_EQ(admitted(limiter, shop, 100, start + seconds(1000)), 50) << "no more than the quota";
    EXPECT_EQ(admitted(limiter, other, 100, start), 50) << "each caller has a bucket of its own";
}

TEST(RateLimiter, TellsWhatIsLeft) {
    RateLimiter limiter({.of_principal = 5});
    RateState rate = limiter.take(shop, somewhere, start);
    EXPECT_EQ(rate.policy, "principal");
    EXPECT_EQ(rate.quota, 50U);
    EXPECT_EQ(rate.remaining, 49U);
    EXPECT_EQ(rate.reset_seconds, 1U);
    std::string headers;
    append_rate(headers, rate);
    EXPECT_EQ(headers,
              "RateLimit-Policy: \"principal\";q=50;w=10\r\nRateLimit: \"principal\";r=49;t=1\r\n");
    admitted(limiter, shop, 100, start);
    rate = limiter.take(shop, somewhere, start);
    EXPECT_FALSE(rate.is_admitted);
    EXPECT_EQ(rate.remaining, 0U);
    EXPECT_EQ(rate.reset_seconds, 10U);
    std::string none;
    append_rate(none, {});
    EXPECT_EQ(none, "");
}

TEST(RateLimiter, CountsStrangersByTheirNetwork) {
    RateLimiter limiter({.of_principal = 5, .of_address = 1});
    const auto address = [](const char* text) { return parse_client_address(text).value(); };
    EXPECT_EQ(admitted(limiter, stranger, 100, start, address("2001:db8::1")), 10);
    EXPECT_EQ(admitted(limiter, stranger, 100, start, address("2001:db8::ffff:2")), 0) << "one /64";
    EXPECT_EQ(admitted(limiter, stranger, 100, start, address("2001:db8:0:1::1")), 10);
    EXPECT_EQ(admitted(limiter, stranger, 100, start, address("192.0.2.1")), 10);
    EXPECT_EQ(admitted(limiter, stranger, 100, start, address("127.0.0.1")), 100);
    EXPECT_EQ(admitted(limiter, shop, 100, start, address("192.0.2.1")), 50)
        << "a caller with a key does not pay for its neighbours";
}

TEST(RateLimiter, WithoutALimitEverybodyIsAdmitted) {
    RateLimiter limiter({});
    EXPECT_EQ(admitted(limiter, shop, 1000, start), 1000);
    EXPECT_EQ(admitted(limiter, stranger, 1000, start), 1000);
    EXPECT_EQ(limiter.callers(), 0U);
}

TEST(RateLimiter, ForgetsTheCallerThatWasAwayLongest) {
    RateLimiter limiter({.of_principal = 1});
    EXPECT_EQ(admitted(limiter, shop, 100, start), 10);
    EXPECT_EQ(admitted(limiter, other, 100, start), 10);
    for (std::size_t i = 0; i < RateLimiter::callers_max - 1; ++i) {
        limiter.take({.name = "key:" + std::to_string(i)}, somewhere, start);
        EXPECT_FALSE(limiter.take(other, somewhere, start).is_admitted);
    }
    EXPECT_EQ(limiter.callers(), RateLimiter::callers_max);
    EXPECT_EQ(admitted(limiter, shop, 100, start), 10) << "forgotten, so it begins anew";
}

}  // namespace
}  // namespace trackops::http
