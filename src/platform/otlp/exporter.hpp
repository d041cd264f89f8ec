// The pump that sends what waits in an export queue to a collector.
#pragma once
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/backoff.hpp"
#include "base/chance.hpp"
#include "platform/otlp/post.hpp"
#include "platform/runtime/pump.hpp"
#include "platform/telemetry/export_queue.hpp"

namespace trackops::telemetry {
class Counter;
class Registry;
}  // namespace trackops::telemetry

namespace trackops::otlp {

struct ExporterOptions {
    Duration schedule_delay = std::chrono::seconds(5);  // the longest wait for a whole batch
    Duration post_timeout = std::chrono::seconds(10);   // of one request
    // A batch that could not be sent within this time is dropped.
    Duration batch_time_max = std::chrono::seconds(30);
    BackoffLimits backoff = {std::chrono::seconds(1), std::chrono::seconds(10)};
    Chance* chance = &system_chance();  // draws the jitter of the backoff
    std::function<std::chrono::steady_clock::time_point()> now = std::chrono::steady_clock::now;
};

struct ExportMeters {
    telemetry::Counter& exported;  // items that the collector took
    telemetry::Counter& failures;  // posts that will be repeated, or were the last of their batch
    telemetry::Counter& refused;   // items of a batch that the collector refused for good
    telemetry::Counter& unsent;    // items of a batch whose time was over, or left at the end
};
// trackops_traces_exported_total, trackops_traces_export_failures_total,
// trackops_traces_dropped_total {reason="refused"|"unsent"}; and the same with logs for traces.
ExportMeters trace_meters(telemetry::Registry& metrics);
ExportMeters log_meters(telemetry::Registry& metrics);

// The state of one batch on its way. One thread uses it.
class Sender {
public:
    Sender(std::string_view signal, Post post, ExporterOptions options, ExportMeters meters);
    bool is_idle() const { return body_.empty(); }
    // Takes the next batch. It waits as the one before it would have waited: a collector that asked
    // for a pause gets one.
    void begin(std::string body, std::size_t items);
    // Returns the time until attempt() is worth a call; zero while idle.
    Duration until_due() const;
    // Posts the batch once. It has left when the collector took it, refused it for good (any 4xx
    // but 429, and 5xx other than 502, 503 and 504), or its time is over. Otherwise it is repeated
    // after a backoff, or after Retry-After if that is longer.
    void attempt() { attempt(options_.post_timeout); }
    void attempt(Duration within);
    void give_up();  // counts the batch as unsent

private:
    void failed(const PostResult& result);
    void leave();

    const std::string signal_;
    const Post post_;
    const ExporterOptions options_;
    const ExportMeters meters_;
    Backoff backoff_;
    std::string body_;
    std::size_t items_ = 0;
    std::chrono::steady_clock::time_point due_at_{};
    std::chrono::steady_clock::time_point give_up_at_{};
    bool is_away_ = false;  // one line an outage
};

template <class Item>
class Exporter final : public runtime::Pump {
public:
    using Encode = std::function<std::string(const std::vector<Item>&)>;
    Exporter(telemetry::ExportQueue<Item>& queue, Encode encode, Sender sender,
             const ExporterOptions& options)
        : queue_(queue),
          encode_(std::move(encode)),
          sender_(std::move(sender)),
          options_(options),
          due_at_(options_.now() + options_.schedule_delay) {}

    // Sends a batch when a whole one waits, or the schedule delay is over. The caller may wait as
    // long as the result says; a full batch ends a wait inside.
    runtime::Progress run(Duration max_wait) override {
        if (!sender_.is_idle()) {
            if (const Duration wait = sender_.until_due(); wait > Duration::zero())
                return {0, wait};
            sender_.attempt();
            return {sender_.is_idle() ? 1U : 0U, Duration::zero()};
        }
        const auto left = std::chrono::ceil<Duration>(due_at_ - options_.now());
        if (left > Duration::zero() && !queue_.has_batch()) {
            queue_.wait(std::min(left, max_wait));
            return {0, max_wait > Duration::zero() ? Duration::zero() : left};
        }
        due_at_ = options_.now() + options_.schedule_delay;
        if (begin_next() && sender_.until_due() == Duration::zero()) sender_.attempt();
        return {0, Duration::zero()};
    }
    void wake() override { queue_.wake(); }

    // Posts what waits, until `within` is over or the collector does not take a batch, and counts
    // the rest as unsent. Call it when no thread calls run() any more.
    void drain(Duration within) {
        const auto until = options_.now() + within;
        while (options_.now() < until) {
            if (sender_.is_idle() && !begin_next()) return;
            sender_.attempt(std::chrono::ceil<Duration>(until - options_.now()));
            if (!sender_.is_idle()) break;
        }
        if (!sender_.is_idle()) sender_.give_up();
        for (auto rest = queue_.take(); !rest.empty(); rest = queue_.take()) {
            sender_.begin("{}", rest.size());
            sender_.give_up();
        }
    }

private:
    bool begin_next() {
        const std::vector<Item> batch = queue_.take();
        if (!batch.empty()) sender_.begin(encode_(batch), batch.size());
        return !batch.empty();
    }

    telemetry::ExportQueue<Item>& queue_;
    const Encode encode_;
    Sender sender_;
    const ExporterOptions options_;
    std::chrono::steady_clock::time_point due_at_;
};

}  // namespace trackops::otlp
