// The product's PostgreSQL poll source with transactions that become visible in another order than
// they were written.
#include "sim/sim_outbox.hpp"

#include <algorithm>
#include <set>

#include <gtest/gtest.h>

#include "platform/outbox/migrations.hpp"
#include "platform/relay/poll_source.hpp"
#include "platform/relay/source.hpp"
#include "platform/sql/migrations.hpp"
#include "platform/sqlite/sqlite.hpp"
#include "platform/telemetry/metrics.hpp"

namespace trackops::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int transactions = 60;
constexpr std::size_t batch = 3;

// Transactions of one or two events each, about five orders.
class Unordered {
public:
    explicit Unordered(std::uint64_t seed, const Mutant* mutant = nullptr)
        : world_(seed, {}, nullptr, mutant) {
        sql::migrate(*server_.real, "outbox", outbox::migrations);
    }

    // Returns the positions in the order in which they were read. Each batch is confirmed or,
    // sometimes, rewound.
    std::vector<std::int64_t> write_and_read() {
        for (int i = 0; i < transactions; ++i) {
            write();
            world_.now = world_.now + milliseconds(40);
            if (world_.schedule.happens(0.5)) read();
        }
        world_.now = world_.now + seconds(10);
        for (int i = 0; i < 3 * transactions; ++i) read();
        return read_;
    }
    const std::map<std::int64_t, Uuid>& written() const { return written_; }
    std::int64_t mark() {
        const auto tx = server_.real->begin(sql::Access::read);
        const auto& found = tx->add({"test.mark", "SELECT position FROM relay_checkpoint"}, {});
        tx->commit();
        return found.rows().at(0).integer(0);
    }

private:
    void write() {
        std::vector<Uuid> orders;
        {
            const auto tx = server_.real->begin(sql::Access::write);
            for (std::size_t count = 1 + world_.schedule.below(2); count > 0; --count) {
                Uuid order;
                order.bytes[0] = static_cast<std::uint8_t>(world_.schedule.below(5));
                orders.push_back(order);
                written_[std::ssize(written_) + 1] = order;
                tx->add({"test.append", R"sql(
                    INSERT INTO outbox_events (event_id, aggregate_id, type, sequence, payload, correlation_id,
                                               causation_id, traceparent, tracestate, occurred_at)
                    VALUES ($1, $1, 'ORDER_CREATED', 1, '{}', '', '', '', '', $2)
                )sql"},
                        {order, world_.now});
            }
            tx->commit();
        }
        outbox_.committed(orders);
    }
    void read() {
        const auto events = source_->read(batch);
        if (world_.schedule.happens(0.1)) return source_->rewind();
        source_->confirm();
        for (const auto& event : events) read_.push_back(event.position);
    }

    World world_;
    telemetry::Registry metrics_;
    DatabaseServer server_{"order", sql::open_in_memory({}, metrics_)};
    SimOutbox outbox_{world_, server_};
    std::unique_ptr<relay::Source> source_ = relay::make_poll_source(outbox_);
    std::map<std::int64_t, Uuid> written_;
    std::vector<std::int64_t> read_;
};

constexpr std::uint64_t seeds = 20;

TEST(SimOutbox, LosesAndDoublesNothingHoweverTransactionsEnd) {
    int out_of_order = 0;
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        Unordered world(seed);
        const auto read = world.write_and_read();
        EXPECT_EQ(read.size(), world.written().size()) << seed;
        EXPECT_EQ(std::set(read.begin(), read.end()).size(), world.written().size()) << seed;
        EXPECT_EQ(world.mark(), std::ssize(world.written())) << seed;
        if (!std::ranges::is_sorted(read)) ++out_of_order;
        std::map<Uuid, std::int64_t> last;
        for (const std::int64_t position : read) {
            std::int64_t& before = last[world.written().at(position)];
            EXPECT_LT(before, position) << seed << ": the events of one order changed places";
            before = position;
        }
    }
    EXPECT_GT(out_of_order, 5);
}

TEST(SimOutbox, ShowsThatASourceWithoutGapDetectionLosesEvents) {
    const Mutant* const mutant = mutant_named("gaps_skipped");
    ASSERT_NE(mutant, nullptr);
    int lost = 0;
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        Unordered world(seed, mutant);
        if (world.write_and_read().size() < world.written().size()) ++lost;
    }
    EXPECT_GT(lost, 10);
}

}  // namespace
}  // namespace trackops::sim
