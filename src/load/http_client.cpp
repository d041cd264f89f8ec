#include "load/http_client.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <stdexcept>

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/basic_resolver.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>

#include "platform/http/response_parser.hpp"
#include "platform/http_client/call.hpp"
#include "platform/runtime/system_clock.hpp"
#include "platform/tls/session.hpp"

namespace trackops::load {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using Executor = asio::io_context::executor_type;  // concrete: it compiles in half the time
using Socket = asio::basic_stream_socket<tcp, Executor>;
using Resolver = asio::ip::basic_resolver<tcp, Executor>;
using Steady = std::chrono::steady_clock;
using Timer = asio::basic_waitable_timer<Steady, asio::wait_traits<Steady>, Executor>;

constexpr auto call_timeout = std::chrono::seconds(30);  // to connect, and then for the exchange
constexpr std::size_t read_bytes = 16UL * 1024;
constexpr std::size_t response_header_bytes_max = 16UL * 1024;
constexpr std::size_t response_bytes_max = 16UL * 1024 * 1024;

using TlsContext = http_client::TlsContext;
using Address = http_client::Server;

Duration retry_after_of(const http::ResponseParser& parser) {
    const auto text = parser.header("Retry-After").value_or("");
    std::int64_t seconds = 0;
    // from_chars leaves 0 for an HTTP date, so a date counts as no delay.
    std::from_chars(text.data(), text.data() + text.size(), seconds);
    return std::chrono::seconds(std::clamp<std::int64_t>(seconds, 0, 3600));
}

std::string to_bytes(const Request& call, const Address& host, const Secret& credentials) {
    std::string bytes = fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: trackops-load\r\n{}",
                                    call.method, call.path, host.authority(), credentials.reveal());
    if (!call.idempotency_key.empty())
        bytes += fmt::format("Idempotency-Key: {}\r\n", call.idempotency_key);
    if (!call.body.empty()) bytes += fmt::format("Content-Type: {}\r\n", call.content_type);
    if (!call.body.empty() || call.method != "GET")
        bytes += fmt::format("Content-Length: {}\r\n", call.body.size());
    return bytes + "\r\n" + call.body;
}

// Keep-alive connections to one server. Each connection carries one call at a time. Idle
// connections are reused, the most recently used one first.
class Host {
public:
    // credentials: a header with its line end, or nothing; context: of the TLS of an https address.
    Host(asio::io_context& io, Address address, Secret credentials, TlsContext context)
        : io_(io),
          address_(std::move(address)),
          credentials_(std::move(credentials)),
          context_(std::move(context)),
          resolver_(io) {}

    void send(const Request& call, HttpClient::Done done) {
        auto exchange = std::make_shared<Exchange>(*this, to_bytes(call, address_, credentials_),
                                                   std::move(done));
        if (resting_.empty()) return exchange->connect();
        exchange->use(std::move(resting_.back()));
        resting_.pop_back();
    }

private:
    struct Connection {
        explicit Connection(asio::io_context& io) : socket(io), timer(io) {}
        Socket socket;
        Timer timer;
        std::array<char, read_bytes> input;
        std::unique_ptr<tls::Session> tls;  // null: plain HTTP
        std::string records;                // of it, being written
        std::string text;                   // of it, as received
    };

    class Exchange : public std::enable_shared_from_this<Exchange> {
    public:
        Exchange(Host& host, std::string request, HttpClient::Done done)
            : host_(host), request_(std::move(request)), done_(std::move(done)) {}

        void connect() {
            host_.resolve([self = shared_from_this()](error_code error) {
                if (error) return self->give_up("resolve", error.message());
                self->connection_ = std::make_unique<Connection>(self->host_.io_);
                self->limit_time();
                self->connect_to(0);
            });
        }

        void use(std::unique_ptr<Connection> connection) {
            connection_ = std::move(connection);
            write();
        }

    private:
        void connect_to(std::size_t number) {
            connection_->socket.async_connect(
                host_.endpoints_[number], [self = shared_from_this(), number](error_code error) {
                    Socket& socket = self->connection_->socket;
                    error_code ignored;
                    if (error && !self->is_late_ && number + 1 < self->host_.endpoints_.size()) {
                        (void)socket.close(ignored);
                        return self->connect_to(number + 1);
                    }
                    if (error) return self->give_up("connect", error.message());
                    // A failure is harmless: Nagle's algorithm costs latency, not correctness.
                    (void)socket.set_option(tcp::no_delay(true), ignored);
                    self->host_.address_.has_tls ? self->begin_tls() : self->write();
                });
        }

        void begin_tls() {
            connection_->tls = std::make_unique<tls::Session>(host_.context_, host_.address_.host);
            go_on_with_handshake();
        }

        void go_on_with_handshake() {
            Connection& connection = *connection_;
            connection.records.clear();
            connection.tls->take_output(connection.records);
            if (connection.records.empty()) return read_handshake();
            asio::async_write(connection.socket, asio::buffer(connection.records),
                              [self = shared_from_this()](error_code error, std::size_t) {
                                  if (error) return self->give_up("connect", error.message());
                                  self->read_handshake();
                              });
        }

        void read_handshake() {
            if (connection_->tls->is_open()) return write();
            connection_->socket.async_read_some(
                asio::buffer(connection_->input),
                [self = shared_from_this()](error_code error, std::size_t count) {
                    if (error) return self->give_up("connect", error.message());
                    Connection& connection = *self->connection_;
                    const auto state =
                        connection.tls->receive({connection.input.data(), count}, connection.text);
                    if (state == tls::Session::State::failed)
                        return self->give_up("connect", "TLS: " + connection.tls->fault());
                    self->go_on_with_handshake();
                });
        }

        // Returns the bytes of the request as they are sent.
        const std::string& outgoing() {
            Connection& connection = *connection_;
            if (!connection.tls) return request_;
            connection.tls->send(request_);
            connection.records.clear();
            connection.tls->take_output(connection.records);
            return connection.records;
        }

        // Ends the exchange after call_timeout by closing the socket.
        void limit_time() {
            connection_->timer.expires_after(call_timeout);
            connection_->timer.async_wait([self = shared_from_this()](error_code stopped) {
                if (stopped || self->connection_ == nullptr) return;
                self->is_late_ = true;
                error_code ignored;
                (void)self->connection_->socket.close(ignored);
            });
        }

        void write() {
            limit_time();
            asio::async_write(connection_->socket, asio::buffer(outgoing()),
                              [self = shared_from_this()](error_code error, std::size_t) {
                                  // A server that refuses a request early (413) closes the
                                  // connection for writing. Its response can still be read.
                                  if (error && error != asio::error::broken_pipe &&
                                      error != asio::error::connection_reset)
                                      return self->give_up("send", error.message());
                                  self->read();
                              });
        }

        void read() {
            connection_->socket.async_read_some(
                asio::buffer(connection_->input),
                [self = shared_from_this()](error_code error, std::size_t count) {
                    self->on_read(error, count);
                });
        }

        void on_read(error_code error, std::size_t count) {
            if (error && error != asio::error::eof) return give_up("read", error.message());
            if (error) {
                if (const auto ended = parser_.end_input(); !ended)
                    return give_up("read", ended.error().detail);
                return finish(false);
            }
            std::string_view text(connection_->input.data(), count);
            if (connection_->tls) {
                connection_->text.clear();
                const auto state = connection_->tls->receive(text, connection_->text);
                if (state == tls::Session::State::failed)
                    return give_up("read", "TLS: " + connection_->tls->fault());
                text = connection_->text;
                if (text.empty() && state == tls::Session::State::open) return read();
            }
            const Result<bool> is_complete = parser_.receive(text);
            if (!is_complete) return give_up("read", is_complete.error().detail);
            *is_complete ? finish(parser_.keeps_alive()) : read();
        }

        void finish(bool keeps_connection) {
            connection_->timer.cancel();
            if (keeps_connection) host_.resting_.push_back(std::move(connection_));
            connection_.reset();
            Response response{
                .status = parser_.status(),
                .body = std::move(parser_.body()),
                .retry_after = retry_after_of(parser_),
                .is_replayed = parser_.header("Idempotency-Replayed").value_or("") == "true"};
            done_(std::move(response));
        }

        void give_up(std::string_view what, std::string_view why) {
            connection_.reset();
            // The other idle connections may be dead too: the server closed them or was restarted.
            host_.resting_.clear();
            done_(fail(Errc::unavailable, fmt::format("{} {}: {}", what, host_.address_.authority(),
                                                      is_late_ ? "it takes too long" : why)));
        }

        Host& host_;
        const std::string request_;
        HttpClient::Done done_;
        std::unique_ptr<Connection> connection_;
        http::ResponseParser parser_{response_header_bytes_max, response_bytes_max};
        bool is_late_ = false;  // the timer has closed the socket
    };

    // Calls `found` once endpoints_ is known and not empty, or with an error.
    void resolve(std::move_only_function<void(error_code)> found) {
        if (!endpoints_.empty()) return found({});
        resolver_.async_resolve(
            address_.host, std::to_string(address_.port),
            [this, found = std::move(found)](error_code error,
                                             const Resolver::results_type& results) mutable {
                if (!error && endpoints_.empty()) endpoints_.assign(results.begin(), results.end());
                found(error);
            });
    }

    asio::io_context& io_;
    const Address address_;
    const Secret credentials_;
    const TlsContext context_;  // null: no https
    Resolver resolver_;
    std::vector<tcp::endpoint> endpoints_;  // does not change once it is known
    // Never longer than the largest number of concurrent calls.
    std::vector<std::unique_ptr<Connection>> resting_;
};

// Returns the header of the credentials for a host, with its line end; "" for none.
Secret credentials(const ClientOptions& options, const Address& host) {
    if (!options.key.empty())
        return Secret(fmt::format("Authorization: Bearer {}\r\n", options.key.reveal()));
    if (!options.session) return {};
    const Secret cookie = access::cookie_for(*options.session, host, runtime::SystemClock().now());
    if (cookie.empty()) return {};
    return Secret(fmt::format("Cookie: {}\r\n", cookie.reveal()));
}

class AsioHttpClient final : public HttpClient {
public:
    AsioHttpClient(Address order, Address inventory, const ClientOptions& options,
                   const TlsContext& context)
        : order_(io_, order, credentials(options, order), context),
          inventory_(io_, inventory, credentials(options, inventory), context) {}

    void send(Request call, Done done) override {
        auto& host = call.target == Target::order ? order_ : inventory_;
        host.send(call, std::move(done));
    }

    void after(Duration pause, std::move_only_function<void()> then) override {
        auto timer = std::make_shared<Timer>(io_, pause);
        timer->async_wait([timer, then = std::move(then)](error_code error) mutable {
            if (!error) then();
        });
    }

    Duration elapsed() const override {
        return std::chrono::duration_cast<Duration>(Steady::now() - made_);
    }

    void run() override { io_.run(); }
    void stop() override { io_.stop(); }

private:
    const Steady::time_point made_ = Steady::now();
    asio::io_context io_{1};
    Host order_;
    Host inventory_;
};

}  // namespace

Result<std::unique_ptr<HttpClient>> make_http_client(const ClientOptions& options) {
    auto order = TRY(http_client::parse_server(options.order_url, "service URL"));
    auto inventory = TRY(http_client::parse_server(options.inventory_url, "service URL"));
    if (!std::ranges::all_of(options.key.reveal(), [](char c) { return c > ' ' && c < '\x7f'; }))
        return fail(Errc::invalid, "the key has characters that are not visible ASCII");
    TlsContext context;
    if (order.has_tls || inventory.has_tls) context = TRY(http_client::trusting(options.ca_file));
    return std::make_unique<AsioHttpClient>(std::move(order), std::move(inventory), options,
                                            context);
}

}  // namespace trackops::load
