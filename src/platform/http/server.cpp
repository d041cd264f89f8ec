#include "platform/http/server.hpp"

#include <algorithm>
#include <array>
#include <condition_variable>
#include <future>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <unordered_map>
#include <utility>

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include "base/clock.hpp"
#include "base/ids.hpp"
#include "platform/http/access_log.hpp"
#include "platform/http/access_metrics.hpp"
#include "platform/http/audit_sink.hpp"
#include "platform/http/bulk_requests.hpp"
#include "platform/http/connection.hpp"
#include "platform/http/connection_slots.hpp"
#include "platform/http/conversation.hpp"
#include "platform/http/http_date.hpp"
#include "platform/http/identifier.hpp"
#include "platform/http/pending_reply.hpp"
#include "platform/http/server_span.hpp"
#include "platform/http/worker_classes.hpp"
#include "platform/telemetry/log.hpp"
#include "platform/tls/server_identity.hpp"

namespace trackops::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using Executor = asio::io_context::executor_type;  // concrete: no type erasure on the hot path
using Socket = Connection::Socket;
using Acceptor = asio::basic_socket_acceptor<tcp, Executor>;
using Steady = std::chrono::steady_clock;
using Timer = asio::basic_waitable_timer<Steady, asio::wait_traits<Steady>, Executor>;

constexpr auto accept_pause = std::chrono::milliseconds(50);

telemetry::Counter& refusals(telemetry::Registry& metrics, const std::string& policy) {
    return metrics.counter("http_server_rate_limited_total",
                           "Requests that were answered 429 for the number of requests before them",
                           {{"policy", policy}});
}

telemetry::Counter& handshakes(telemetry::Registry& metrics, const std::string& outcome) {
    return metrics.counter("http_server_tls_handshakes_total",
                           "TLS handshakes of clients that began one", {{"outcome", outcome}});
}

// Returns the most bytes that a bulk request holds: of its body before and after its work has taken
// them, and of its answer.
std::size_t memory_of_bulk(const ServerOptions& options) {
    return 2 * options.body_stream.bytes_max + options.answer_stream_bytes_max;
}

class AsioServer final : public Server, private ConnectionHost {
public:
    AsioServer(ServerOptions options, std::vector<Route> routes, const Clock& clock, Ids& ids,
               telemetry::Registry& metrics)
        : options_(std::move(options)),
          router_(std::move(routes)),
          clock_(clock),
          ids_(ids),
          access_(metrics, router_.routes()),
          open_connections_(metrics.gauge("http_server_connections", "Connections that are open")),
          unsent_(
              metrics.counter("http_server_unsent_answers_total", "Answers whose client had gone")),
          rate_limited_{&refusals(metrics, "address"), &refusals(metrics, "principal")},
          handshakes_{&handshakes(metrics, "failed"), &handshakes(metrics, "accepted")},
          failed_accepts_(metrics.counter("http_server_failed_accepts_total",
                                          "Connections that could not be accepted")),
          answers_(std::make_shared<AnswerQueue>(
              [this] { asio::post(io_, [this] { deliver(); }); },
              metrics.counter("http_server_late_answers_total",
                              "Answers of handlers to requests that had been answered for them"))),
          sweep_(io_.get_executor()),
          slots_(options_.edge.connections_max, options_.edge.connections_per_address_max),
          rates_(options_.edge.rate_limits) {}

    ~AsioServer() override {
        if (!io_thread_.joinable()) return;
        drain(Duration(0));
        answers_->close();
        workers_->stop();
        bulk_requests_->clear();
        io_.stop();
        io_thread_.join();
    }
    AsioServer(const AsioServer&) = delete;
    AsioServer& operator=(const AsioServer&) = delete;

    void start() override {
        try {
            listen();
        } catch (const boost::system::system_error& error) {
            throw std::runtime_error(fmt::format("cannot listen on {}:{}: {}", options_.address,
                                                 options_.port, error.code().message()));
        }
        workers_ = std::make_unique<WorkerClasses>(options_);
        bulk_requests_ =
            std::make_unique<BulkRequests>(workers_->bulk(), options_.edge.bulk_requests_max);
        for (Door& door : doors_) accept(door);
        sweep();
        io_thread_ = std::thread([this] { run(); });
    }

    std::uint16_t port() const override { return port_; }

    void drain(Duration within) override {
        if (!io_thread_.joinable()) return;
        asio::post(io_, [this] { begin_drain(); });
        {
            std::unique_lock lock(drain_mutex_);
            all_answered_.wait_for(lock, within, [this] { return is_drained_; });
        }
        std::promise<void> closed;
        asio::post(io_, [&] {
            for (const auto& connection : connections()) connection->close();
            closed.set_value();
        });
        closed.get_future().wait();
    }

private:
    struct Door {
        Acceptor acceptor;
        Timer retry;
    };

    void listen() {
        if (options_.address != "localhost")
            return listen_on({asio::ip::make_address(options_.address), options_.port});
        constexpr int tries_max = 10;  // a free port of IPv4 may not be one of IPv6
        for (int tries = 1;; ++tries) {
            try {
                listen_on({asio::ip::address_v4::loopback(), options_.port});
                return listen_on({asio::ip::address_v6::loopback(), port_});
            } catch (const boost::system::system_error& error) {
                using namespace boost::system::errc;
                const bool has_no_v6 = error.code() == address_family_not_supported ||
                                       error.code() == address_not_available;
                if (!doors_.empty() && has_no_v6) return;
                if (options_.port != 0 || tries == tries_max) throw;
                doors_.clear();
            }
        }
    }

    void listen_on(const tcp::endpoint& endpoint) {
        Acceptor acceptor(io_.get_executor());
        acceptor.open(endpoint.protocol());
        acceptor.set_option(tcp::acceptor::reuse_address(true));
        acceptor.bind(endpoint);
        acceptor.listen();
        port_ = acceptor.local_endpoint().port();
        doors_.push_back({std::move(acceptor), Timer(io_.get_executor())});
    }

    void run() {
        answers_->serve_from_this_thread(
            [this](AnswerQueue::Answer answer) { hand_over(std::move(answer)); });
        for (;;) {
            try {
                io_.run();
                return;
            } catch (const std::exception& error) {
                telemetry::log(telemetry::Level::error, "http",
                               "the I/O thread goes on after an exception",
                               {{"error", error.what()}});
            }
        }
    }

    void accept(Door& door) {
        door.acceptor.async_accept([this, &door](const error_code& ec, Socket socket) {
            if (!door.acceptor.is_open()) return;
            if (!ec) {
                on_accept(std::move(socket));
                return accept(door);
            }
            failed_accepts_.add();
            telemetry::log(telemetry::Level::warn, "http", "a connection could not be accepted",
                           {{"error", ec.message()}});
            // The process is probably out of file descriptors, so do not spin.
            door.retry.expires_after(accept_pause);
            door.retry.async_wait([this, &door](const error_code& stopped) {
                if (!stopped && door.acceptor.is_open()) accept(door);
            });
        });
    }

    void on_accept(Socket socket) {
        error_code ec;
        (void)socket.non_blocking(true, ec);
        if (!ec) (void)socket.set_option(tcp::no_delay(true), ec);
        const auto address = peer_address(socket.native_handle());
        if (ec || !address) return;  // the client has gone already; returning closes the socket
        using enum ConnectionSlots::Verdict;
        const auto verdict = slots_.take(*address);
        if (verdict == refuse_address) reached(Limit::connections_of_address);
        if (verdict == refuse_total || verdict == drop) reached(Limit::connections);
        if (verdict == drop) return;
        // A handshake only to say 503 would cost more than the refusal saves.
        if (options_.edge.tls && verdict != serve) return slots_.release(*address);
        const std::uint64_t id = ++last_connection_;
        const auto connection = std::make_shared<Connection>(
            static_cast<ConnectionHost&>(*this), router_, options_,
            Connection::Accepted{id, *address, std::move(socket), tls_link()});
        connections_.emplace(id, connection);
        open_connections_.set(static_cast<double>(slots_.open()));
        if (verdict == serve) return connection->advance();
        connection->refuse({Errc::overloaded,
                            verdict == refuse_address
                                ? "more connections of this address are open than may be; try again"
                                : "more connections are open than may be; try again"});
    }

    std::unique_ptr<TlsLink> tls_link() const {
        if (!options_.edge.tls) return nullptr;
        return std::make_unique<TlsLink>(options_.edge.tls->context(), options_, Steady::now());
    }

    void sweep() {
        const Duration shortest = std::min({options_.read_timeout, options_.edge.idle_timeout,
                                            options_.write_timeout, options_.edge.answer_timeout,
                                            options_.heartbeat, options_.handshake_timeout});
        const auto interval = std::clamp<Duration>(shortest / 8, std::chrono::milliseconds(5),
                                                   std::chrono::seconds(1));
        sweep_.expires_after(interval);
        sweep_.async_wait([this, interval](const error_code& stopped) {
            if (stopped) return;
            const auto now = Steady::now();
            for (const auto& connection : connections()) {
                // The next sweep would come too late for some.
                const auto since = now + interval - options_.edge.answer_timeout;
                for (auto left = connection->unanswered().expire(since); left > 0; --left)
                    reached(Limit::answer_time);
                connection->check_time(now);
            }
            deliver();
            access_log_.sweep(now);
            sweep();
        });
    }

    void begin_drain() {
        is_draining_ = true;
        error_code ignored;  // the acceptors are closed in any case
        for (Door& door : doors_) (void)door.acceptor.close(ignored);
        for (const auto& connection : connections()) connection->stop();
        deliver();
        check_drained();
    }

    void check_drained() {
        if (!is_draining_) return;
        for (const auto& [id, connection] : connections_) {
            if (!connection->is_lingering()) return;
        }
        const std::lock_guard lock(drain_mutex_);
        is_drained_ = true;
        all_answered_.notify_all();
    }

    std::vector<std::shared_ptr<Connection>> connections() const {
        // A copy, because a visited connection may remove itself.
        std::vector<std::shared_ptr<Connection>> all;
        all.reserve(connections_.size());
        for (const auto& [id, connection] : connections_) all.push_back(connection);
        return all;
    }

    void handle(const Route& route, Request request, Conversation::Place place) override {
        if (route.work == Work::bulk) return (void)begin_bulk(route, std::move(request), place);
        Connection& connection = *connections_.at(place.connection);
        // The metrics tell that the memory is in use, so they are answered all the same.
        if (route.scope == Scope::metrics_read) request.share = {};
        const auto pending = std::make_shared<PendingReply>(
            std::move(request), place, Steady::now(), answers_, options_.answer_stream_bytes_max);
        connection.unanswered().watch(pending);
        Workers* const workers = workers_->of(route.work, pending->request().body.size());
        if (!workers) return call_handler(route, pending);
        using enum Workers::Verdict;
        const auto verdict = workers->submit([&route, pending] { call_handler(route, pending); },
                                             connection.address());
        if (verdict == queued) return;
        reached(verdict == full ? Limit::worker_queue : Limit::worker_queue_of_address);
        Reply(pending).busy();
    }

    std::shared_ptr<BodyPipe> handle_stream(const Route& route, Request request,
                                            Conversation::Place place) override {
        return begin_bulk(route, std::move(request), place);
    }

    // Returns the body; null if the route does not stream one.
    std::shared_ptr<BodyPipe> begin_bulk(const Route& route, Request request,
                                         Conversation::Place place) {
        Connection& connection = *connections_.at(place.connection);
        const auto bulk = take_bulk(route, request, connection.address());
        const auto wake = [weak = std::weak_ptr(bulk)] {
            if (const auto woken = weak.lock()) woken->wake();
        };
        std::shared_ptr<BodyPipe> body;
        if (route.body == Body::ndjson_stream)
            body = std::make_shared<BodyPipe>(
                options_.body_stream,
                [answers = answers_, id = place.connection] { answers->notify(id); }, wake);
        const auto pending = std::make_shared<PendingReply>(
            std::move(request), place, Steady::now(), answers_, options_.answer_stream_bytes_max,
            std::make_unique<BulkPart>(BulkPart{body, wake}));
        if (!body) connection.unanswered().watch(pending);
        bulk ? bulk->begin(pending) : Reply(pending).busy();
        return body;
    }

    // Returns null if there are too many of them, or too little memory.
    std::shared_ptr<BulkRequest> take_bulk(const Route& route, Request& request,
                                           const ClientAddress& client) {
        request.share = {options_.budget, runtime::Spending::streams};
        if (!request.share.resize(memory_of_bulk(options_))) return nullptr;
        using enum BulkRequests::Verdict;
        auto [verdict, bulk] = bulk_requests_->take(route, client);
        if (verdict == full) reached(Limit::bulk_requests);
        if (verdict == full_for_client) reached(Limit::bulk_requests_of_address);
        return bulk;
    }

    // Passes an answer on to its connection, which sends it with the next deliver().
    void hand_over(AnswerQueue::Answer answer) {
        const std::uint64_t id = answer.place.connection;
        const auto found = connections_.find(id);
        if (found == connections_.end()) {
            if (answer.stream) answer.stream->abandon();
            return unsent_.add();
        }
        found->second->answer(std::move(answer));
        if (answered_.empty() || answered_.back() != id) answered_.push_back(id);
    }

    void deliver() override {
        for (;;) {
            delivered_.clear();
            noticed_.clear();
            answers_->take(delivered_, noticed_);
            // Distributes all responses before any is written, so that those that are ready
            // together leave in one write.
            for (auto& answer : delivered_) hand_over(std::move(answer));
            advancing_.clear();
            advancing_.swap(answered_);
            if (advancing_.empty() && noticed_.empty()) return;
            for (const std::uint64_t id : advancing_) {
                if (const auto connection = find(id)) connection->advance();
            }
            for (const std::uint64_t id : noticed_) {
                if (const auto connection = find(id)) connection->on_notice();
            }
        }
    }

    // Returns a copy, because the connection may remove itself.
    std::shared_ptr<Connection> find(std::uint64_t id) const {
        const auto found = connections_.find(id);
        return found == connections_.end() ? nullptr : found->second;
    }

    std::shared_ptr<const Principal> identify(const Request& request) override {
        Identifier* const identifier = options_.edge.identifier;
        return identifier ? identifier->identify(request) : local_principal();
    }
    std::shared_ptr<Inquiry> inquire(const Request& request, std::uint64_t connection) override {
        const auto inquiry = std::make_shared<Inquiry>(
            [answers = answers_, connection] { answers->notify(connection); });
        options_.edge.identifier->inquire(request, inquiry);
        return inquiry;
    }
    RateState limit_rate(const Request& request) override {
        const RequestContext& context = request.context;
        const RateState rate = rates_.take(*context.principal, context.client, Steady::now());
        if (!rate.is_admitted) rate_limited_[context.principal->is_authenticated ? 1 : 0]->add();
        return rate;
    }
    Uuid fresh_id() override { return ids_.next(); }
    std::string_view date() override { return date_.at(clock_.now()); }
    void reached(Limit limit) override { access_.reached(limit); }
    void observe(const Conversation::Access& access) override {
        access_.observe(access);
        access_log_.observe(access);
        end_server_span(options_.tracer, access);
        if (!options_.edge.audit || !access.caller) return;
        options_.edge.audit->answered({.caller = *access.caller,
                                       .client = access.client,
                                       .route = access.route,
                                       .method = access.method,
                                       .path = access.path,
                                       .status = access.status,
                                       .correlation_id = access.correlation_id,
                                       .act = access.act});
    }
    void forget(std::uint64_t connection, const ClientAddress& address) override {
        connections_.erase(connection);
        slots_.release(address);
        open_connections_.set(static_cast<double>(slots_.open()));
        check_drained();
    }
    void began_to_linger() override { check_drained(); }
    void ended_handshake(bool is_accepted) override { handshakes_[is_accepted ? 1 : 0]->add(); }

    const ServerOptions options_;
    const Router router_;
    const Clock& clock_;
    Ids& ids_;
    AccessMetrics access_;
    AccessLog access_log_;
    telemetry::Gauge& open_connections_;
    telemetry::Counter& unsent_;
    std::array<telemetry::Counter*, 2> rate_limited_;  // of an address, of a principal
    std::array<telemetry::Counter*, 2> handshakes_;    // failed, accepted
    telemetry::Counter& failed_accepts_;
    HttpDate date_;
    asio::io_context io_{1};
    asio::executor_work_guard<Executor> stays_up_{io_.get_executor()};
    std::shared_ptr<AnswerQueue> answers_;
    std::vector<Door> doors_;  // as they are from start() on
    Timer sweep_;
    std::uint16_t port_ = 0;
    std::unique_ptr<WorkerClasses> workers_;
    std::unique_ptr<BulkRequests> bulk_requests_;
    std::unordered_map<std::uint64_t, std::shared_ptr<Connection>> connections_;
    ConnectionSlots slots_;
    std::uint64_t last_connection_ = 0;
    RateLimiter rates_;
    std::vector<AnswerQueue::Answer> delivered_;
    std::vector<std::uint64_t> noticed_;
    std::vector<std::uint64_t> answered_;  // connections with a new answer
    std::vector<std::uint64_t> advancing_;
    bool is_draining_ = false;  // used on the I/O thread only, as all members above
    std::mutex drain_mutex_;
    std::condition_variable all_answered_;
    bool is_drained_ = false;  // guarded by drain_mutex_
    std::thread io_thread_;
};

}  // namespace

std::unique_ptr<Server> make_server(ServerOptions options, std::vector<Route> routes,
                                    const Clock& clock, Ids& ids, telemetry::Registry& metrics) {
    return std::make_unique<AsioServer>(std::move(options), std::move(routes), clock, ids, metrics);
}

}  // namespace trackops::http
