// Plays order events: schedules the steps of the input and polls the outcomes of the orders.
#pragma once
#include <cstddef>
#include <string>
#include <unordered_map>

#include "load/line_reader.hpp"
#include "load/outcome_poller.hpp"
#include "load/per_order_queue.hpp"
#include "load/report_builder.hpp"
#include "load/retrying_client.hpp"

namespace trackops::load {

// The maximum number of steps that wait for an earlier step of their order. Reading pauses at this
// number.
inline constexpr std::size_t waiting_max = 4096;

class Player {
public:
    // `run` makes the idempotency keys of orders without an externalRef unique to this run.
    Player(const LoadOptions& options, HttpClient& client, LineReader& lines, std::string run);
    LoadReport play(const ProgressOptions& progress);

private:
    void pump();
    void poll();
    bool read_next_step();
    bool is_time_for_a_line() const;
    bool has_room() const { return steps_under_way_ + polls_under_way_ < options_.concurrency; }
    void start(Scheduled next);
    // The place of an order in the input.
    struct Origin {
        std::string reference;
        // Shown in the report.
        std::string name;
        Duration intended;
    };
    void place(const Scheduled& next, const PlaceOrder& order);
    void cancel(const CancelOrder& cancel);
    void adjust(const AdjustStock& adjust);
    void accept(const Origin& origin, const Response& response);
    void ask(OutcomePoller::PollTask poll_task);
    void on_outcome(OutcomePoller::PollTask poll_task, const Result<Response>& response);
    void on_step_finished(const std::string& reference, const Result<Response>& response);
    void stop_reading_input();
    void schedule_wake_up();
    bool is_finished();
    void show_progress(const ProgressOptions& progress);

    const LoadOptions& options_;
    HttpClient& client_;
    LineReader& lines_;
    const std::string run_;
    RetryingClient retrying_client_;
    PerOrderQueue per_order_queue_;
    OutcomePoller poller_;
    ReportBuilder report_builder_;
    std::unordered_map<std::string, std::size_t> by_reference_;
    std::size_t steps_under_way_ = 0;
    std::size_t polls_under_way_ = 0;
    // Counts only lines that send a request.
    std::int64_t lines_taken_ = 0;
    // Whether the input is exhausted.
    bool at_end_ = false;
    std::optional<Duration> first_order_at_;
    // When the last step was answered.
    std::optional<Duration> answered_at_;
    // When the earliest timer fires.
    std::optional<Duration> waking_at_;
};

}  // namespace trackops::load
