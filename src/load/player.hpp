// Plays order events: what leaves when, and what is asked afterwards.
#pragma once
#include <cstddef>
#include <string>
#include <unordered_map>

#include "load/courier.hpp"
#include "load/lines.hpp"
#include "load/sequence.hpp"
#include "load/tally.hpp"
#include "load/watch.hpp"

namespace trackops::load {

inline constexpr std::size_t waiting_max =
    4096;  // steps that wait for their order; reading pauses there

class Player {
public:
    // run: makes the keys of orders without an externalRef unlike those of other runs.
    Player(const LoadOptions& options, Wire& wire, Lines& lines, std::string run);
    LoadReport play(const ProgressOptions& progress);

private:
    void pump();
    void poll();
    bool take_line();
    bool is_time_for_a_line() const;
    bool has_room() const { return steps_under_way_ + polls_under_way_ < options_.concurrency; }
    void start(Scheduled next);
    struct Origin {  // of an order: where it stands in the input
        std::string reference;
        std::string name;  // for people
        Duration intended;
    };
    void place(const Scheduled& next, const PlaceOrder& order);
    void cancel(const CancelOrder& cancel);
    void adjust(const AdjustStock& adjust);
    void accept(const Origin& origin, const Answer& answer);
    void ask(Watch::Turn turn);
    void heard(Watch::Turn turn, const Result<Answer>& answer);
    void step_is_over(const std::string& reference, const Result<Answer>& answer);
    void give_up_on_lines();
    void wake_at_the_next_thing();
    bool is_over();
    void tell(const ProgressOptions& progress);

    const LoadOptions& options_;
    Wire& wire_;
    Lines& lines_;
    const std::string run_;
    Courier courier_;
    Sequence sequence_;
    Watch watch_;
    Tally tally_;
    std::unordered_map<std::string, std::size_t> by_reference_;
    std::size_t steps_under_way_ = 0;
    std::size_t polls_under_way_ = 0;
    std::int64_t lines_taken_ = 0;  // of those that send something
    bool at_end_ = false;           // of the input
    std::optional<Duration> first_order_at_;
    std::optional<Duration> answered_at_;  // when the last step was
    std::optional<Duration> waking_at_;    // the earliest timer that is set
};

}  // namespace trackops::load
