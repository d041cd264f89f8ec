#include "load/http_client.hpp"

#include <algorithm>
#include <charconv>
#include <stdexcept>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <fmt/format.h>

#include "platform/url/url.hpp"

namespace trackops::load {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;
using tcp = asio::ip::tcp;

constexpr auto call_timeout = std::chrono::seconds(30);
constexpr std::size_t response_bytes_max = 16UL * 1024 * 1024;

constexpr std::uint16_t default_port = 80;
constexpr url::Form form{
    .what = "service URL", .example = "http://127.0.0.1:8080", .scheme = "http"};

struct Address {
    std::string host;
    std::string port;
    std::string text;  // HOST:PORT, as in a URL
};

Result<Address> parse_address(std::string_view text) {
    try {
        const url::Url url = url::parse_url(text, form);
        const url::Host& host = url.hosts.front();
        const bool has_more = !url.user.empty() || url.password || url.path.size() > 1 ||
                              !url.parameters.empty() || !url.secret_parameters.empty();
        if (url.hosts.size() > 1 || host.name.empty() || has_more)
            url::refuse(text, form, "it is not of the form http://HOST:PORT");
        return Address{host.name, fmt::to_string(host.port.value_or(default_port)),
                       host.text(default_port)};
    } catch (const std::invalid_argument& refusal) {
        return fail(Errc::invalid, refusal.what());
    }
}

Duration retry_after_of(const http::response<http::string_body>& response) {
    const auto text = response[http::field::retry_after];
    std::int64_t seconds = 0;
    // from_chars leaves 0 for an HTTP date, so a date counts as no delay.
    std::from_chars(text.data(), text.data() + text.size(), seconds);
    return std::chrono::seconds(std::clamp<std::int64_t>(seconds, 0, 3600));
}

// Keep-alive connections to one server. Each connection carries one call at a time. Idle
// connections are reused, the most recently used one first.
class Host {
public:
    Host(asio::io_context& io, Address address)
        : io_(io), address_(std::move(address)), resolver_(io) {}

    void send(Request call, HttpClient::Done done) {
        auto exchange = std::make_shared<Exchange>(*this, std::move(call), std::move(done));
        if (resting_.empty()) return exchange->connect();
        exchange->use(std::move(resting_.back()));
        resting_.pop_back();
    }

private:
    struct Connection {
        explicit Connection(asio::io_context& io) : stream(io) {}
        beast::tcp_stream stream;
        beast::flat_buffer buffer;
    };

    class Exchange : public std::enable_shared_from_this<Exchange> {
    public:
        Exchange(Host& host, Request call, HttpClient::Done done)
            : host_(host), call_(std::move(call)), done_(std::move(done)) {}

        void connect() {
            connection_ = std::make_unique<Connection>(host_.io_);
            host_.resolve([self = shared_from_this()](error_code error,
                                                      const tcp::resolver::results_type& found) {
                if (error) return self->give_up("resolve", error);
                auto& stream = self->connection_->stream;
                stream.expires_after(call_timeout);
                stream.async_connect(found, [self](error_code failed, const tcp::endpoint&) {
                    if (failed) return self->give_up("connect", failed);
                    // A failure is harmless: Nagle's algorithm costs latency, not correctness.
                    error_code ignored;
                    (void)self->connection_->stream.socket().set_option(tcp::no_delay(true),
                                                                        ignored);
                    self->write();
                });
            });
        }

        void use(std::unique_ptr<Connection> connection) {
            connection_ = std::move(connection);
            write();
        }

    private:
        void write() {
            request_.version(11);
            request_.method_string(call_.method);
            request_.target(call_.path);
            request_.set(http::field::host, host_.address_.text);
            request_.set(http::field::user_agent, "trackops-load");
            if (!call_.idempotency_key.empty())
                request_.set("Idempotency-Key", call_.idempotency_key);
            if (!call_.body.empty()) {
                request_.set(http::field::content_type, call_.content_type);
                request_.body() = std::move(call_.body);
            }
            request_.prepare_payload();
            connection_->stream.expires_after(call_timeout);
            http::async_write(connection_->stream, request_,
                              [self = shared_from_this()](error_code error, std::size_t) {
                                  // A server that refuses a request early (413) closes the
                                  // connection for writing. Its response can still be read.
                                  if (error && error != asio::error::broken_pipe &&
                                      error != asio::error::connection_reset)
                                      return self->give_up("send", error);
                                  self->read();
                              });
        }

        void read() {
            parser_.body_limit(response_bytes_max);
            http::async_read(connection_->stream, connection_->buffer, parser_,
                             [self = shared_from_this()](error_code error, std::size_t) {
                                 if (error) return self->give_up("read", error);
                                 self->finish();
                             });
        }

        void finish() {
            auto message = parser_.release();
            if (message.keep_alive() && connection_->buffer.size() == 0) {
                connection_->stream.expires_never();
                host_.resting_.push_back(std::move(connection_));
            }
            Response response{.status = static_cast<int>(message.result_int()),
                              .body = std::move(message.body()),
                              .retry_after = retry_after_of(message),
                              .is_replayed = message["Idempotency-Replayed"] == "true"};
            done_(std::move(response));
        }

        void give_up(std::string_view what, error_code error) {
            // The other idle connections may be dead too: the server closed them or was restarted.
            host_.resting_.clear();
            done_(fail(Errc::unavailable,
                       fmt::format("{} {}: {}", what, host_.address_.text, error.message())));
        }

        Host& host_;
        Request call_;
        HttpClient::Done done_;
        std::unique_ptr<Connection> connection_;
        http::request<http::string_body> request_;
        http::response_parser<http::string_body> parser_;
    };

    using Found = std::move_only_function<void(error_code, tcp::resolver::results_type)>;
    void resolve(Found found) {
        if (!endpoints_.empty()) return found({}, endpoints_);
        resolver_.async_resolve(
            address_.host, address_.port,
            [this, found = std::move(found)](error_code error, auto results) mutable {
                if (!error) endpoints_ = results;
                found(error, std::move(results));
            });
    }

    asio::io_context& io_;
    const Address address_;
    tcp::resolver resolver_;
    tcp::resolver::results_type endpoints_;
    // Never longer than the largest number of concurrent calls.
    std::vector<std::unique_ptr<Connection>> resting_;
};

class AsioHttpClient final : public HttpClient {
public:
    AsioHttpClient(Address order, Address inventory)
        : order_(io_, std::move(order)), inventory_(io_, std::move(inventory)) {}

    void send(Request call, Done done) override {
        auto& host = call.target == Target::order ? order_ : inventory_;
        host.send(std::move(call), std::move(done));
    }

    void after(Duration pause, std::move_only_function<void()> then) override {
        auto timer = std::make_shared<asio::steady_timer>(io_, pause);
        timer->async_wait([timer, then = std::move(then)](error_code error) mutable {
            if (!error) then();
        });
    }

    Duration elapsed() const override {
        return std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now() - made_);
    }

    void run() override { io_.run(); }
    void stop() override { io_.stop(); }

private:
    const std::chrono::steady_clock::time_point made_ = std::chrono::steady_clock::now();
    asio::io_context io_{1};
    Host order_;
    Host inventory_;
};

}  // namespace

Result<std::unique_ptr<HttpClient>> make_http_client(const std::string& order_url,
                                                     const std::string& inventory_url) {
    auto order = TRY(parse_address(order_url));
    auto inventory = TRY(parse_address(inventory_url));
    return std::make_unique<AsioHttpClient>(std::move(order), std::move(inventory));
}

}  // namespace trackops::load
