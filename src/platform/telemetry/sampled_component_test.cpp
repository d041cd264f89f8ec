#include "platform/telemetry/sampled_component.hpp"

#include <atomic>
#include <future>
#include <stdexcept>
#include <thread>

#include <gtest/gtest.h>

namespace trackops::telemetry {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

std::string error_of(const ComponentHealth& health) {
    return health.details.empty() ? "" : health.details[0].first + ": " + health.details[0].second;
}

TEST(SampledComponent, IsDownBeforeItsFirstAnswer) {
    const SampledComponent db({"db", [] { return ComponentHealth{}; }});
    EXPECT_EQ(db.health().status, Status::down);
    EXPECT_EQ(error_of(db.health()), "error: no answer yet");
}

TEST(SampledComponent, KeepsTheLatestAnswerUntilItIsAskedAgain) {
    int asked = 0;
    SampledComponent db(
        {"db", [&] { return ComponentHealth{++asked == 1 ? Status::up : Status::down}; }});
    db.sample();
    EXPECT_EQ(db.health().status, Status::up);
    EXPECT_EQ(db.health().status, Status::up);
    EXPECT_EQ(asked, 1);
    db.sample();
    EXPECT_EQ(db.health().status, Status::down);
}

TEST(SampledComponent, TakesAnExceptionAsDown) {
    SampledComponent bus({"bus", []() -> ComponentHealth { throw std::runtime_error("away"); }});
    bus.sample();
    EXPECT_EQ(bus.health().status, Status::down);
    EXPECT_EQ(error_of(bus.health()), "error: away");
}

// A component that never answers: its reader learns of it by the clock alone.
TEST(SampledComponent, IsDownOnceItHasNotAnsweredInTimeAndUpAfterTheAnswer) {
    std::atomic<milliseconds> passed{milliseconds(0)};
    std::promise<void> asked;
    std::promise<void> thawed;
    int asks = 0;
    SampledComponent db({.name = "db",
                         .ask =
                             [&] {
                                 if (++asks == 2) {
                                     asked.set_value();
                                     thawed.get_future().wait();
                                 }
                                 return ComponentHealth{};
                             },
                         .answer_within = milliseconds(2000)},
                        [&] { return steady_clock::time_point(passed.load()); });
    db.sample();
    std::thread sampler([&] { db.sample(); });
    asked.get_future().wait();
    passed = milliseconds(2000);
    EXPECT_EQ(db.health().status, Status::up);  // the last answer stands until the deadline
    passed = milliseconds(2001);
    EXPECT_EQ(db.health().status, Status::down);
    EXPECT_EQ(error_of(db.health()), "error: no answer for 2 s");
    passed = milliseconds(7900);
    EXPECT_EQ(error_of(db.health()), "error: no answer for 7 s");
    thawed.set_value();
    sampler.join();
    EXPECT_EQ(db.health().status, Status::up);
}

TEST(SampledComponent, WaitsForTheFirstAnswerButNoLonger) {
    SampledComponent db({"db", [] { return ComponentHealth{}; }});
    db.wait_for_first(milliseconds(1));
    EXPECT_EQ(db.health().status, Status::down);
    std::thread sampler([&] { db.sample(); });
    db.wait_for_first(std::chrono::minutes(1));
    EXPECT_EQ(db.health().status, Status::up);
    sampler.join();
}

}  // namespace
}  // namespace trackops::telemetry
