#include "order/adapters/bulk.hpp"

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "order/adapters/read_requests.hpp"
#include "platform/http/idempotency_key.hpp"
#include "platform/json/writer.hpp"

namespace trackops::order::adapters {
namespace {

struct Outcome {
    std::int64_t line = 0;
    std::optional<std::string> key;
    Result<app::SaveResult> answer = fail(Errc::internal, "not answered");
};

// The outcomes of one batch. Those of the queue arrive on its threads.
class Batch {
public:
    explicit Batch(std::size_t size) { outcomes_.reserve(size); }

    // Only before the first submit().
    Outcome& add(std::int64_t line) { return outcomes_.emplace_back(Outcome{.line = line}); }
    void expect() { ++waiting_; }
    void set(std::size_t index, Result<app::SaveResult> answer) {
        const std::lock_guard lock(mutex_);
        outcomes_[index].answer = std::move(answer);
        if (--waiting_ == 0) all_are_set_.notify_one();
    }
    const std::vector<Outcome>& wait() {
        std::unique_lock lock(mutex_);
        all_are_set_.wait(lock, [this] { return waiting_ == 0; });
        return outcomes_;
    }

private:
    std::mutex mutex_;
    std::condition_variable all_are_set_;
    std::vector<Outcome> outcomes_;
    std::size_t waiting_ = 0;
};

Result<app::PlaceOrder> read_line(const http::BodyLine& line, const http::Request& request,
                                  Duration key_lifetime, std::optional<std::string>& key) {
    if (line.is_too_long) return http::too_long_line();
    OrderLine read;
    const auto is_read = read_order_line(line.text, read);
    key = read.key;
    // A line that is no JSON has no key that could be missed.
    if (!is_read && is_read.error().code == Errc::malformed)
        return std::unexpected(is_read.error());
    app::PlaceOrder command;
    command.key = TRY(http::read_line_key(request, read.key, line.text, key_lifetime));
    if (!is_read) return std::unexpected(is_read.error());
    command.terms = std::move(read.terms);
    command.actor = request.context.actor();
    command.trace = request.context.trace();
    command.act = request.context.act;
    return command;
}

void write_outcome(std::string& text, const Outcome& outcome) {
    json::Writer out(text);
    out.begin_object().member("line", outcome.line);
    if (outcome.key) out.member("idempotencyKey", *outcome.key);
    if (!outcome.answer) {
        http::write_refusal(out, outcome.answer.error());
    } else if (const auto& recorded = outcome.answer->recorded) {
        out.member("status", recorded->status)
            .member("id", recorded->location.substr(recorded->location.rfind('/') + 1))
            .member("replayed", true);
    } else {
        out.member("status", 201)
            .member("id", outcome.answer->order.id.text())
            .member("version", outcome.answer->order.version);
    }
    out.end_object();
    text += '\n';
}

}  // namespace

bool place_order_lines(std::span<const http::BodyLine> lines, const http::Request& request,
                       const ApiDependencies& dependencies, std::string& answer) {
    const auto batch = std::make_shared<Batch>(lines.size());
    std::vector<std::pair<std::size_t, app::PlaceOrder>> commands;  // with the index of the outcome
    for (std::size_t i = 0; i < lines.size(); ++i) {
        Outcome& outcome = batch->add(lines[i].number);
        auto command = read_line(lines[i], request, dependencies.key_lifetime, outcome.key);
        if (!command) {
            outcome.answer = std::unexpected(std::move(command).error());
            continue;
        }
        commands.emplace_back(i, *std::move(command));
        batch->expect();
    }
    for (auto& [index, command] : commands) {
        const auto done = [batch, at = index](Result<app::SaveResult> result) {
            batch->set(at, std::move(result));
        };
        if (!dependencies.place_queue.submit(std::move(command), done))
            done(fail(Errc::overloaded, "more requests are waiting than may wait; try again"));
    }
    bool all_are_done = true;
    for (const Outcome& outcome : batch->wait()) {
        write_outcome(answer, outcome);
        all_are_done = all_are_done && outcome.answer.has_value();
    }
    return all_are_done;
}

}  // namespace trackops::order::adapters
