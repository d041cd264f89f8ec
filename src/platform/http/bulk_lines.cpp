#include "platform/http/bulk_lines.hpp"

#include <optional>
#include <utility>

#include <fmt/format.h>

#include "platform/http/body_pipe.hpp"
#include "platform/http/problem.hpp"
#include "platform/http/query_reader.hpp"

namespace trackops::http {
namespace {

std::optional<ErrorPolicy> policy_named(std::string_view name) {
    if (name == "ignore") return ErrorPolicy::ignore;
    if (name == "stop") return ErrorPolicy::stop;
    return std::nullopt;
}

std::string error_line(const Error& error) {
    std::string line;
    json::Writer out(line);
    out.begin_object();
    write_refusal(out, error);
    out.end_object();
    line += '\n';
    return line;
}

class LineWork final : public StreamWork {
public:
    LineWork(const Reply& reply, ErrorPolicy policy, std::size_t batch_max,
             AnswerLines answer_lines)
        : reply_(reply),
          policy_(policy),
          lines_max_(policy == ErrorPolicy::stop ? 1 : batch_max),
          answer_lines_(std::move(answer_lines)),
          answer_(reply.begin({.content_type = "application/x-ndjson"})) {}

    Next step() override {
        if (!answer_->has_room()) return Next::later;
        const auto arrived = reply_.body().take(lines_max_);
        if (!arrived) return end_with(arrived.error());
        if (arrived->lines.empty()) return arrived->is_over ? end() : Next::later;
        outcomes_.clear();
        const bool all_are_done = answer_lines_(arrived->lines, outcomes_);
        has_begun_ = has_begun_ || !outcomes_.empty();
        if (!answer_->write(outcomes_)) return Next::done;
        const bool stops = !all_are_done && policy_ == ErrorPolicy::stop;
        return stops || arrived->is_over ? end() : Next::again;
    }

private:
    Next end() {
        answer_->finish();
        return Next::done;
    }
    Next end_with(const Error& error) {
        if (!has_begun_) {
            reply_.problem(error);
        } else {
            // A client that has gone gets no last line; there is nobody to tell.
            (void)answer_->write(error_line(error));
            answer_->finish_and_close();
        }
        return Next::done;
    }

    const Reply reply_;
    const ErrorPolicy policy_;
    const std::size_t lines_max_;
    const AnswerLines answer_lines_;
    const std::unique_ptr<AnswerStream> answer_;
    bool has_begun_ = false;
    std::string outcomes_;
};

}  // namespace

ErrorPolicy read_error_policy(QueryReader& in) {
    const auto policy = in.value("errorPolicy", "must be ignore or stop", policy_named);
    return policy.value_or(ErrorPolicy::ignore);
}

Result<ErrorPolicy> read_error_policy(const Request& request) {
    QueryReader in(request, {"errorPolicy"});
    const ErrorPolicy policy = read_error_policy(in);
    return in.finish(policy);
}

void serve_lines(const Reply& reply, ErrorPolicy policy, std::size_t batch_max,
                 AnswerLines answer_lines) {
    reply.run(std::make_unique<LineWork>(reply, policy, batch_max, std::move(answer_lines)));
}

std::unexpected<Error> too_long_line() {
    return fail(Errc::too_large,
                fmt::format("a line may have {} bytes at most", BodyPipeLimits{}.line_bytes_max));
}

void write_refusal(json::Writer& out, const Error& error) {
    out.member("status", status_of(error.code))
        .member("code", code_of(error.code))
        .member("detail", shown_detail(error));
    if (error.fields.empty()) return;
    out.name("errors").begin_array();
    for (const FieldError& fault : error.fields) {
        out.begin_object()
            .member("pointer", fault.pointer)
            .member("detail", fault.detail)
            .member("code", fault.code)
            .end_object();
    }
    out.end_array();
}

}  // namespace trackops::http
