// Serves a bulk request: NDJSON in, one outcome for each line out, both while they arrive.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "base/result.hpp"
#include "platform/http/message.hpp"
#include "platform/http/stream.hpp"
#include "platform/json/writer.hpp"

namespace trackops::http {

// The query parameter errorPolicy of a bulk request: goes on after a refused line, or ends there.
enum class ErrorPolicy : std::uint8_t { ignore, stop };

class QueryReader;
// Reads errorPolicy, ErrorPolicy::ignore by default. Any other value is a fault of the query.
ErrorPolicy read_error_policy(QueryReader& in);
// The same for a request without any other parameter; Errc::invalid.
Result<ErrorPolicy> read_error_policy(const Request& request);

// Carries out a batch of lines and appends the outcome of each to `answer`, one line each. Returns
// true if no line was refused.
using AnswerLines = std::function<bool(std::span<const BodyLine> lines, std::string& answer)>;

// Calls `answer_lines` with the lines that have arrived, at most `batch_max`, again and again, and
// sends the outcomes. With ErrorPolicy::stop each line is a batch of its own, and the answer ends
// with the first refusal, so that no line behind it has an effect. A body that breaks off before
// the first outcome is answered with a problem; after it, the last line of the answer is the error
// ({status, code, detail}) and the connection closes. Only a handler may call it, as the last thing
// it does; the calls of `answer_lines` follow, and the request of `reply` lives until the last one.
void serve_lines(const Reply& reply, ErrorPolicy policy, std::size_t batch_max,
                 AnswerLines answer_lines);

// The refusal of a line that has more bytes than a line may have.
std::unexpected<Error> too_long_line();

// Writes the members status, code, detail and errors of a refused line.
void write_refusal(json::Writer& out, const Error& error);

}  // namespace trackops::http
