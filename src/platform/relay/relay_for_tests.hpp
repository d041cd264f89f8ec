// A relay between a fresh outbox and a scripted bus. Only tests include this.
#pragma once
#include <atomic>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "platform/outbox/outbox_for_tests.hpp"
#include "platform/relay/poll_source.hpp"
#include "platform/relay/relay.hpp"
#include "platform/relay/scripted_bus_for_tests.hpp"

namespace trackops::relay {

// A source whose claim() and confirm() a test controls.
class WatchedSource final : public Source {
public:
    explicit WatchedSource(std::unique_ptr<Source> source) : source_(std::move(source)) {}
    bool may_claim = true;
    std::function<void()> before_confirm = [] {};

    std::string_view name() const override { return "watched"; }
    bool claim() override { return may_claim && source_->claim(); }
    std::vector<std::size_t> asked_for;  // the events of each read
    std::vector<outbox::StoredEvent> read(std::size_t max) override {
        asked_for.push_back(max);
        return source_->read(max);
    }
    void confirm() override {
        before_confirm();
        source_->confirm();
    }
    void rewind() override { source_->rewind(); }
    Backlog backlog(Instant now) override { return source_->backlog(now); }
    std::vector<outbox::StoredEvent> unconfirmed(std::int64_t after, std::size_t max) override {
        return source_->unconfirmed(after, max);
    }

private:
    std::unique_ptr<Source> source_;
};

// A relay that polls a fresh outbox and publishes to a scripted bus, on either database.
class RelayForTests : public ::testing::TestWithParam<std::string> {
protected:
    RelayForTests() { restart(); }

    std::unique_ptr<Relay> relay(std::string holder, std::unique_ptr<Source> source = nullptr) {
        if (!source) source = make_poll_source(*outbox_.database);
        return std::make_unique<Relay>(
            *outbox_.database, std::move(source), bus_, clock_,
            RelayOptions{.holder = std::move(holder), .chance = &chance_}, outbox_.metrics);
    }
    void restart() {
        relay_.reset();
        relay_ = relay("one");
    }
    void run(int times = 1) {
        for (int i = 0; i < times; ++i) relay_->run(Duration::zero());
    }
    void refuse(std::set<std::string> names) {
        bus_.script = [names = std::move(names)](const std::string& name) {
            return names.contains(name) ? bus::Delivery::refused : bus::Delivery::acknowledged;
        };
    }
    void lose(std::set<std::string> names) {
        bus_.script = [names = std::move(names)](const std::string& name) {
            return names.contains(name) ? bus::Delivery::unavailable : bus::Delivery::acknowledged;
        };
    }
    void take_all() { refuse({}); }
    // Returns the parked events, e.g. "a1! a2": a1 was refused, a2 waits.
    std::string parked() {
        std::string text;
        for (const ParkedEvent& event : relay_->parked(0, 100)) {
            if (!text.empty()) text += ' ';
            text += outbox::OutboxFixture::name(event.event) + (event.reason.empty() ? "" : "!");
        }
        return text;
    }
    Uuid id(std::string_view name) {
        for (const ParkedEvent& event : relay_->parked(0, 100)) {
            if (outbox::OutboxFixture::name(event.event) == name) return event.event.id;
        }
        return {};
    }
    // Calls retry() on a thread, because it waits for run(), and runs the relay until it returns.
    Result<void> retry(Uuid event, const AuditedActPtr& act = {}) {
        Result<void> answer;
        std::atomic<bool> is_answered = false;
        std::thread operator_at_work([&] {
            answer = relay_->retry(event, std::chrono::seconds(20), act);
            is_answered = true;
        });
        while (!is_answered) {
            run();
            std::this_thread::yield();
        }
        operator_at_work.join();
        return answer;
    }

    outbox::OutboxFixture outbox_{GetParam()};
    testing::FakeClock clock_{outbox::noon};
    testing::FixedChance chance_;  // shortens no backoff
    ScriptedBus bus_;
    std::unique_ptr<Relay> relay_;
};

}  // namespace trackops::relay
