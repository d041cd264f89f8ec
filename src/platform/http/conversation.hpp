// HTTP on one connection, without a socket: bytes in, requests out, responses in, bytes out. Not
// thread-safe.
#pragma once
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/uuid.hpp"
#include "platform/http/answer_pipe.hpp"
#include "platform/http/body_pipe.hpp"
#include "platform/http/input_buffer.hpp"
#include "platform/http/inquiry.hpp"
#include "platform/http/origin.hpp"
#include "platform/http/response_head.hpp"
#include "platform/http/router.hpp"
#include "platform/http/server.hpp"
#include "platform/http/server_parser.hpp"
#include "platform/http/unsent_bytes.hpp"
#include "platform/http/upload_rate.hpp"

namespace trackops::http {

// The label values of http_server_limit_reached_total, in this order.
enum class Limit : std::uint8_t {
    connections,
    connections_of_address,
    worker_queue,
    worker_queue_of_address,
    bulk_requests,
    bulk_requests_of_address,
    body_bytes,
    header_bytes,
    pipelined,
    in_work,
    unsent_bytes,
    read_time,
    idle_time,
    write_time,
    answer_time,
    handshake_time,
    handshake_bytes
};

class Conversation {
public:
    using Time = std::chrono::steady_clock::time_point;
    struct Place {  // the request to which an answer belongs
        std::uint64_t connection;
        std::uint64_t number;
    };
    struct Access {          // one answered request
        const Route* route;  // null: no route was found
        std::string_view method;
        int status;
        std::chrono::steady_clock::duration took;
        telemetry::SpanContext span = {};  // of the request
        telemetry::SpanId parent_span = {};
        std::string_view path = {};          // of a sampled request, or with an audit of a change
        std::string_view tracestate = {};    // the same
        std::string_view problem_code = {};  // of a problem+json answer
        const Principal* caller = nullptr;   // with an audit only
        std::array<std::uint8_t, 16> client = {};  // the ClientAddress of the request
        std::string_view correlation_id = {};
        const AuditedAct* act = nullptr;  // the act that the request is
    };
    class Host {
    public:
        virtual ~Host() = default;
        // Handles the request. The response comes later, or at once, through answer().
        virtual void handle(const Route& route, Request request, Place place) = 0;
        // Returns the caller of a request whose headers have arrived; null: inquire() has to ask.
        virtual std::shared_ptr<const Principal> identify(const Request& request) = 0;
        // Asks for the caller. The host calls resume() once the inquiry is answered. Throws
        // std::logic_error in a host that always has an answer.
        virtual std::shared_ptr<Inquiry> inquire(const Request& request, std::uint64_t connection);
        // The same for a route that streams its body, when the header has arrived. The conversation
        // fills the returned pipe. Throws std::logic_error in a host that serves no such route.
        virtual std::shared_ptr<BodyPipe> handle_stream(const Route& route, Request request,
                                                        Place place);
        // Counts the request of a caller that has been identified. Called only if there are
        // EdgeOptions::rate_limits.
        virtual RateState limit_rate(const Request& request);
        virtual Uuid fresh_id() = 0;            // for the trace context of a request
        virtual std::string_view date() = 0;    // in the form IMF-fixdate
        virtual void reached(Limit limit) = 0;  // a limit of the server took effect
        virtual void observe(const Access& access) = 0;
    };

    Conversation(Host& host, const Router& router, const ServerOptions& options,
                 std::uint64_t connection, Time now);
    // Tells the address of the client, before the first receive().
    void set_client(const ClientAddress& client) { client_ = client; }
    // Parses received bytes. Complete requests go to Host::handle().
    void receive(std::string_view bytes, Time now);
    void end_input();  // the client sends no more; requests already received are answered
    // Answers `error` in place of a next request, then takes no more input.
    void refuse(const Error& error, Time now);
    // Answers the requests received so far and the one that is arriving, then takes no more input.
    void stop();
    // Sets the response of a request; `number` is Place::number. With a `stream` its body follows
    // through that. A request that the conversation has given up is ignored.
    void answer(std::uint64_t number, Response response, std::shared_ptr<AnswerPipe> stream = {});
    // The connection is lost: ends all streams.
    void abandon();
    // Appends the output that is ready, in the order of the requests: 64 KiB or so, and more in the
    // next call. Call sent() after it was sent.
    void take_output(std::string& out, Time now);
    // All output that was taken has left. Continues as resume().
    void sent(Time now);
    // Continues with requests, or with a streamed body, that waited for room.
    void resume(Time now);
    // Answers 408 if a request took too long to arrive. Returns true if the connection has been
    // idle for too long.
    bool has_expired(Time now);

    bool wants_input() const {
        if (input_is_over_) return false;
        if (inquiry_) return inquiry_->answer() != nullptr;
        if (body_) return !body_->is_full();
        return slots_.size() < options_.edge.pipelined_max &&
               unsent_.count() < options_.edge.unsent_bytes_max && !(awaits_turn_ && !has_turn());
    }
    // take_output() has something to append.
    bool has_output() const {
        if (slots_.empty() || !slots_.front().response) return false;
        return !slots_.front().stream || !slots_.front().stream->is_silent();
    }
    // All requests are answered and no more input is taken.
    bool is_finished() const { return input_is_over_ && slots_.empty(); }

private:
    struct Slot {  // a request whose response is not in the output yet
        const Route* route = nullptr;
        std::string method;
        std::string correlation_id;
        telemetry::SpanContext span;
        telemetry::SpanId parent_span;
        std::string path;                         // as Access::path: others allocate nothing for it
        std::string tracestate;                   // the same
        std::shared_ptr<const Principal> caller;  // with an audit only
        AuditedActPtr act;                        // the same
        std::array<std::uint8_t, 16> client = {};
        Time began;
        bool is_http10 = false;
        bool keeps_alive = false;
        RateState rate = {};
        std::string_view allowed_origin = {};
        std::optional<Response> response = {};
        std::shared_ptr<BodyPipe> body = {};      // of a streamed body
        std::shared_ptr<AnswerPipe> stream = {};  // of a streamed answer
        bool is_head_sent = false;
        std::size_t sent_bytes = 0;  // of a body that is no stream
        Time last_sent = {};         // of a streamed answer
    };
    bool is_in_request() const { return parser_.is_in_request() || !unparsed_.empty(); }
    std::size_t parse(std::string_view bytes, Time now);
    Result<void> take_header();
    Result<void> take_caller(std::shared_ptr<const Principal> caller);
    bool refuses_before_body() const;
    Result<void> begin_body();
    void pass_on_body();
    bool pays_for_body();
    void find_route(std::string_view encoded_path);
    void limit_rate();
    bool has_turn() const;
    bool waits_for_turn();
    Result<void> take_turn();
    void expect_body(bool is_input_used);
    void take_request();
    void set_response(Slot& slot, Response response);
    void tell_why_it_stops(std::size_t unparsed);
    AuditedActPtr audited_act();
    Slot& open_slot();
    Slot* find_slot(std::uint64_t number);
    // Appends what the first slot has to send, a piece at most. Returns true if that was its last
    // byte.
    bool append_slot(std::string& out, Time now);
    // The same for a streamed answer, as far as it has been written; a silent event stream gets its
    // heartbeat.
    bool append_stream(std::string& out, Slot& slot, Time now);
    ResponseHead head_of(const Slot& slot, Framing framing);
    bool may_continue() const;
    void finish_body();
    void fail_body(const Error& error);
    void leave_body();
    void give_up_behind_first();
    void end_event_streams();

    Host& host_;
    const Router& router_;
    const ServerOptions& options_;
    const std::uint64_t connection_;
    RequestParser parser_;
    OriginCheck origin_check_;
    ClientAddress client_{};
    InputBuffer unparsed_;  // received but not parsed yet
    std::deque<Slot> slots_;
    std::uint64_t first_number_ = 0;  // the number of slots_.front()
    const Route* route_ = nullptr;    // of the request that is being read
    // The response to that request, which no handler gets. It is sent once the body has arrived.
    std::optional<Response> refusal_;
    // The header of that request has arrived, but its caller is not known yet.
    std::shared_ptr<Inquiry> inquiry_;
    RateState rate_;                   // of the request that is being read
    std::string_view allowed_origin_;  // the same
    // The request that is being read is complete, or the header of a bulk request is, but the
    // connection has as many requests of its class in work as it may have.
    bool awaits_turn_ = false;
    // The body that is being read, if it is streamed. Its slot is the last one.
    std::shared_ptr<BodyPipe> body_;
    UnsentBytes unsent_;
    std::string piece_;  // of a streamed answer, on its way to the output
    bool must_send_continue_ = false;
    bool is_stopping_ = false;
    bool input_is_over_ = false;
    // The arrival of the first byte of the request that is being read.
    Time began_;
    UploadRate upload_rate_;
    Time idle_since_;
};

}  // namespace trackops::http
