// One connection's side of HTTP, without a socket: bytes in, requests out, answers in, bytes out.
// Not thread-safe.
#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "base/uuid.hpp"
#include "platform/http/router.hpp"
#include "platform/http/server.hpp"
#include "platform/http/server_parser.hpp"

namespace trackops::http {

enum class Limit : std::uint8_t {
    connections,
    worker_queue,
    body_bytes,
    header_bytes,
    pipelined,
    read_time,
    idle_time,
    write_time
};

class Conversation {
public:
    using Time = std::chrono::steady_clock::time_point;
    struct Place {  // where an answer belongs
        std::uint64_t connection;
        std::uint64_t number;
    };
    struct Access {          // one answered request
        const Route* route;  // nothing: no route was found
        std::string_view method;
        int status;
        std::chrono::steady_clock::duration took;
    };
    class Host {
    public:
        virtual ~Host() = default;
        // The answer comes by answer(), sooner or later.
        virtual void handle(const Route& route, Request request, Place place) = 0;
        virtual Uuid fresh_id() = 0;
        virtual std::string_view date() = 0;  // IMF-fixdate
        virtual void reached(Limit limit) = 0;
        virtual void observe(const Access& access) = 0;
    };

    Conversation(Host& host, const Router& router, const ServerOptions& options,
                 std::uint64_t connection, Time now);
    void receive(std::string_view bytes, Time now);
    void end_input();  // the client sends no more; what it asked is answered
    void refuse(const Error& error,
                Time now);  // answers that in place of a next request, then finishes
    void stop();  // answers what was received, also the request it is amid of, then finishes
    void answer(std::uint64_t number, Response response);
    // Appends what can leave now, in the order of the requests. After it was sent: resume().
    void take_output(std::string& out, Time now);
    void resume(Time now);  // goes on with requests that waited for room
    // Answers 408 to a request that took too long; true: the connection has idled too long.
    bool has_expired(Time now);

    bool wants_input() const { return !input_is_over_ && slots_.size() < options_.pipelined_max; }
    bool is_finished() const {
        return input_is_over_ && slots_.empty();
    }  // all was answered, nothing more is taken

private:
    struct Slot {  // a request that is not answered on the wire
        const Route* route = nullptr;
        std::string method;
        std::string correlation_id;
        Time began;
        bool is_http10 = false;
        bool keeps_alive = false;
        std::optional<Response> response = {};
    };
    bool is_in_request() const { return parser_.is_in_request() || !unparsed_.empty(); }
    std::size_t parse(std::string_view bytes, Time now);
    Result<void> take_header();
    void find_route(std::string_view encoded_path);
    void take_request();
    Slot& open_slot();
    void append(std::string& out, const Slot& slot, bool is_last);

    Host& host_;
    const Router& router_;
    const ServerOptions& options_;
    const std::uint64_t connection_;
    RequestParser parser_;
    std::string unparsed_;  // received, not used yet
    std::deque<Slot> slots_;
    std::uint64_t first_number_ = 0;   // of slots_.front()
    const Route* route_ = nullptr;     // of the request that is being read
    std::optional<Response> refusal_;  // of that request, once its body is through
    bool must_send_continue_ = false;
    bool is_stopping_ = false;
    bool input_is_over_ = false;
    Time began_;  // the first byte of the request that is being read
    Time idle_since_;
};

}  // namespace trackops::http
