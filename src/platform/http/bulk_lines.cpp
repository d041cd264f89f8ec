#include "platform/http/bulk_lines.hpp"

#include <optional>
#include <utility>

#include <fmt/format.h>

#include "platform/http/body_pipe.hpp"
#include "platform/http/problem.hpp"
#include "platform/http/query_reader.hpp"

namespace trackops::http {
namespace {

// A client that sends or reads too slowly is noticed earlier, by the server's own limits.
constexpr Duration read_within = std::chrono::minutes(2);
constexpr Duration write_within = std::chrono::minutes(2);

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

}  // namespace

Result<ErrorPolicy> read_error_policy(const Request& request) {
    QueryReader in(request, {"errorPolicy"});
    const auto policy = in.value("errorPolicy", "must be ignore or stop", policy_named);
    return in.finish(policy.value_or(ErrorPolicy::ignore));
}

void serve_lines(const Reply& reply, ErrorPolicy policy, std::size_t batch_max,
                 const AnswerLines& answer_lines) {
    const std::size_t lines_max = policy == ErrorPolicy::stop ? 1 : batch_max;
    const auto answer = reply.begin({.content_type = "application/x-ndjson"});
    bool has_begun = false;
    std::string outcomes;
    for (;;) {
        const auto lines = reply.body().read(lines_max, read_within);
        if (!lines) {
            if (!has_begun) return reply.problem(lines.error());
            // A client that has gone gets no last line; there is nobody to tell.
            (void)answer->write(error_line(lines.error()), write_within);
            return answer->finish_and_close();
        }
        if (lines->empty()) return answer->finish();
        outcomes.clear();
        const bool all_are_done = answer_lines(*lines, outcomes);
        has_begun = has_begun || !outcomes.empty();
        if (!answer->write(outcomes, write_within)) return;
        if (!all_are_done && policy == ErrorPolicy::stop) return answer->finish();
    }
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
