#include "platform/http/workers.hpp"

#include <future>
#include <string>

#include <gtest/gtest.h>

#include "platform/http/bulk_requests.hpp"
#include "platform/http/route_for_tests.hpp"

namespace trackops::http {
namespace {

using enum Workers::Verdict;

ClientAddress ipv4(std::uint8_t a, std::uint8_t d) {
    return {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, 0, 0, d};
}

// One worker that is busy until the gate opens.
class OneWorker : public ::testing::Test {
protected:
    void occupy(Workers& workers) {
        std::promise<void> has_begun;
        EXPECT_EQ(workers.submit(
                      [&has_begun, gate = gate_] {
                          has_begun.set_value();
                          gate.wait();
                      },
                      ipv4(10, 1)),
                  queued);
        has_begun.get_future().wait();
    }
    auto noting(char letter) {
        return [this, letter] { order_ += letter; };
    }

    std::promise<void> opener_;
    std::shared_future<void> gate_ = opener_.get_future().share();
    std::string order_;  // of the jobs that have run
};

TEST_F(OneWorker, ServesTheClientsInTurns) {
    Workers workers(1, 100);
    occupy(workers);
    for (int i = 0; i < 4; ++i) EXPECT_EQ(workers.submit(noting('a'), ipv4(10, 1)), queued);
    for (int i = 0; i < 2; ++i) EXPECT_EQ(workers.submit(noting('b'), ipv4(10, 2)), queued);
    std::promise<void> is_done;
    EXPECT_EQ(workers.submit(noting('c'), ipv4(10, 3)), queued);
    workers.resume([&is_done] { is_done.set_value(); }, ipv4(10, 1));
    opener_.set_value();
    is_done.get_future().wait();
    EXPECT_EQ(order_, "abcabaa");
}

TEST_F(OneWorker, RefusesMoreThanTheQueueHolds) {
    Workers workers(1, 4);
    occupy(workers);
    EXPECT_EQ(workers.submit(noting('a'), ipv4(10, 1)), queued);
    EXPECT_EQ(workers.submit(noting('a'), ipv4(10, 1)), queued);
    EXPECT_EQ(workers.submit(noting('a'), ipv4(10, 1)), full_for_client);
    EXPECT_EQ(workers.submit(noting('b'), ipv4(10, 2)), queued);
    EXPECT_EQ(workers.submit(noting('c'), ipv4(10, 3)), queued);
    EXPECT_EQ(workers.submit(noting('d'), ipv4(10, 4)), full);
    workers.resume(noting('e'), ipv4(10, 4));
    opener_.set_value();
    workers.stop();
    EXPECT_EQ(workers.submit(noting('f'), ipv4(10, 5)), full);
    workers.resume(noting('f'), ipv4(10, 5));
    EXPECT_EQ(order_.find('f'), std::string::npos);
}

TEST_F(OneWorker, LimitsNoClientOfThisMachine) {
    Workers workers(1, 4);
    occupy(workers);
    for (int i = 0; i < 4; ++i) EXPECT_EQ(workers.submit([] {}, ipv4(127, 1)), queued);
    EXPECT_EQ(workers.submit([] {}, ipv4(127, 1)), full);
    opener_.set_value();
}

TEST(BulkRequests, AreLimitedInAllAndForEachClient) {
    using enum BulkRequests::Verdict;
    Workers workers(0, 1);
    BulkRequests all(workers, 4);
    const Route route = route_for_tests("POST", "/lines", {}, Work::bulk);
    const auto first = all.take(route, ipv4(10, 1));
    EXPECT_EQ(first.verdict, taken);
    EXPECT_NE(first.request, nullptr);
    EXPECT_EQ(all.take(route, ipv4(10, 1)).verdict, taken);
    EXPECT_EQ(all.take(route, ipv4(10, 1)).verdict, full_for_client);
    EXPECT_EQ(all.take(route, ipv4(127, 1)).verdict, taken);
    EXPECT_EQ(all.take(route, ipv4(10, 2)).verdict, taken);
    EXPECT_EQ(all.take(route, ipv4(10, 3)).verdict, full);
    all.clear();
    for (int i = 0; i < 4; ++i) EXPECT_EQ(all.take(route, ipv4(127, 1)).verdict, taken);
    all.clear();
}

}  // namespace
}  // namespace trackops::http
