// Fuzzes a connection of the HTTP server: the same bytes get the same responses however they are
// split into pieces, and each response has the length that it declares. Only for a stream that is
// not HTTP may the refusal, and its status, depend on the pieces: Beast waits for a complete header
// once it has read a part of one.
#include <charconv>

#include <fmt/format.h>

#include "fuzz/promise.hpp"
#include "platform/http/conversation.hpp"
#include "platform/http/route_for_tests.hpp"
#include "testing/fakes.hpp"

namespace trackops::fuzz {
namespace {

using http::Conversation;

// Answers every request at once with the parsed request.
class RecordingHost final : public Conversation::Host {
public:
    void handle(const http::Route& route, http::Request request,
                Conversation::Place place) override {
        std::string body = fmt::format("{} {} {} {} {}", route.pattern, request.method,
                                       request.path, request.query.size(), request.body.size());
        for (const auto& [name, value] : request.headers)
            body += fmt::format("\n{}={}", name, value);
        body += '\n' + request.body;
        conversation->answer(place.number,
                             {.body = std::move(body), .headers = {{"Echo", request.path}}});
    }
    std::shared_ptr<const http::Principal> identify(const http::Request&) override {
        return http::local_principal();
    }
    Uuid fresh_id() override { return ids.next(); }
    std::string_view date() override { return "Tue, 14 Nov 2023 22:13:20 GMT"; }
    void reached(http::Limit) override {}
    void observe(const Conversation::Access& access) override {
        methods.emplace_back(access.method);
    }

    Conversation* conversation = nullptr;
    testing::SeededIds ids;
    // The methods of the answered requests.
    std::vector<std::string> methods;
};

struct Outcome {
    std::vector<std::string> answers;
    bool is_refused = false;
    bool is_finished = false;
};

// Splits the output into responses. Leaves out "100 Continue", because it depends on the pieces.
std::vector<std::string> answers_of(std::string_view out, const std::vector<std::string>& methods) {
    constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
    constexpr std::string_view length_name = "\r\nContent-Length: ";
    std::vector<std::string> answers;
    while (!out.empty()) {
        if (out.starts_with(go_on)) {
            out.remove_prefix(go_on.size());
            continue;
        }
        promise(answers.size() < methods.size(), "there is one answer a request");
        promise(out.starts_with("HTTP/1.1 "), "an answer begins where another ends");
        const std::size_t head = out.find("\r\n\r\n");
        promise(head != std::string_view::npos, "an answer has a head");
        const std::size_t at = out.find(length_name);
        const bool is_empty = out.substr(9, 3) == "204";
        promise(is_empty != (at < head), "an answer says how long it is");
        std::size_t length = 0;
        if (!is_empty)
            std::from_chars(out.data() + at + length_name.size(), out.data() + head, length);
        if (methods[answers.size()] == "HEAD") length = 0;
        promise(head + 4 + length <= out.size(), "an answer is as long as it says");
        answers.emplace_back(out.substr(0, head + 4 + length));
        out.remove_prefix(head + 4 + length);
    }
    promise(answers.size() == methods.size(), "every answer leaves");
    return answers;
}

bool is_refusal(std::string_view answer) {
    const std::string_view status = answer.substr(9, 3);
    return (status == "400" || status == "413" || status == "431") &&
           answer.find("\r\nConnection: close\r\n") != std::string_view::npos;
}

Outcome converse(std::string_view text, std::size_t piece) {
    static const http::Router router = [] {
        http::Route small = http::route_for_tests("POST", "/a");
        small.body_bytes_max = 64;
        return http::Router({http::route_for_tests("GET", "/a"), small,
                             http::route_for_tests("PUT", "/a/{x}/b", {}, http::Work::query),
                             http::route_for_tests("DELETE", "/a/{x}")});
    }();
    static const http::ServerOptions options{
        .header_bytes_max = 512,
        .body_bytes_max = 256,
        .edge = {.public_hosts = {"x"}, .pipelined_max = 2, .unsent_bytes_max = 600}};
    RecordingHost desk;
    const Conversation::Time now{};
    Conversation conversation(desk, router, options, 1, now);
    desk.conversation = &conversation;
    std::string out;
    while (!text.empty()) {
        const std::string_view next = text.substr(0, piece);
        text.remove_prefix(next.size());
        conversation.receive(next, now);
        for (std::size_t before = std::string::npos; before != out.size();) {
            before = out.size();
            conversation.take_output(out, now);
            conversation.sent(now);
        }
    }
    Outcome told{answers_of(out, desk.methods), false, conversation.is_finished()};
    if (!told.answers.empty() && is_refusal(told.answers.back())) {
        told.answers.pop_back();
        told.is_refused = true;
    }
    return told;
}

void check(std::string_view text, std::size_t piece) {
    const Outcome whole = converse(text, text.size() + 1);
    const Outcome pieces = converse(text, piece);
    promise(whole.answers == pieces.answers, "the pieces make no difference");
    if (!whole.is_refused && !pieces.is_refused)
        promise(whole.is_finished == pieces.is_finished, "nor when it is over");
    promise(!whole.is_refused || whole.is_finished, "what is refused is over");
}

}  // namespace
}  // namespace trackops::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace trackops;
    std::string_view text = fuzz::text_of(data, size);
    const std::size_t piece = 1 + fuzz::take_choice(text, 64);
    fuzz::check(text, piece);
    return 0;
}
