#include "platform/http/connection.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>

#include "platform/telemetry/log.hpp"

namespace trackops::http {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using Steady = std::chrono::steady_clock;

constexpr std::size_t read_bytes = 4 * 1024;
constexpr std::size_t read_bytes_max = 64 * 1024;         // once a body has filled the first buffer
constexpr std::size_t kept_output_bytes_max = 64 * 1024;  // a larger buffer is freed
constexpr std::size_t lingering_bytes_max = 1024 * 1024;
constexpr auto lingering_time = std::chrono::seconds(1);

}  // namespace

Connection::Connection(ConnectionHost& home, const Router& router, const ServerOptions& options,
                       Accepted accepted)
    : host_(home),
      options_(options),
      id_(accepted.id),
      address_(accepted.address),
      socket_(std::move(accepted.socket)),
      tls_(std::move(accepted.tls)),
      conversation_(home, router, options, id_, Steady::now()),
      input_(read_bytes) {
    conversation_.set_client(address_);
}

void Connection::advance() {
    while (!is_writing_ && !is_lingering_ && !is_closed_ && !is_yielding_) {
        take_output();
        if (output_.empty()) {
            if (conversation_.is_finished()) return finish();
            return read();
        }
        if (!write()) return;
        conversation_.sent(Steady::now());
        if (conversation_.has_output()) return yield();
    }
}

void Connection::take_output() {
    output_.clear();
    if (tls_) return take_records();
    conversation_.take_output(output_, Steady::now());
}

void Connection::take_records() {
    if (tls_->is_open()) {
        std::string& text = tls_->buffer();
        text.clear();
        conversation_.take_output(text, Steady::now());
        tls_->send(text);
        if (text.empty() && conversation_.is_finished()) tls_->end();
        if (text.capacity() > kept_output_bytes_max) std::string().swap(text);
    }
    tls_->take_output(output_);
}

void Connection::yield() {
    is_yielding_ = true;
    asio::post(socket_.get_executor(), [self = shared_from_this()] {
        self->is_yielding_ = false;
        if (!self->is_closed_) self->go_on();
    });
}

void Connection::answer(AnswerQueue::Answer answer) {
    conversation_.answer(answer.place.number, std::move(answer.response), std::move(answer.stream));
}

void Connection::on_notice() {
    conversation_.resume(Steady::now());
    advance();
}

void Connection::refuse(const Error& error) {
    conversation_.refuse(error, Steady::now());
    advance();
}

void Connection::stop() {
    conversation_.stop();
    const bool says_goodbye = tls_ && tls_->is_open();
    if (conversation_.is_finished() && !is_writing_ && !says_goodbye) return close();
    advance();
}

void Connection::check_time(Conversation::Time now) {
    if (is_lingering_) {
        if (now >= deadline_) close();
    } else if (tls_ && tls_->has_expired(now)) {
        host_.reached(Limit::handshake_time);
        close();
    } else if (is_writing_) {
        if (now < deadline_) return;
        host_.reached(Limit::write_time);
        close();
    } else if (conversation_.has_expired(now)) {
        close();
    } else {
        advance();
    }
}

void Connection::close() {
    if (std::exchange(is_closed_, true)) return;
    error_code ignored;  // no client is left to inform
    (void)socket_.close(ignored);
    conversation_.abandon();
    host_.forget(id_, address_);
}

void Connection::read() {
    if (is_reading_ || !(conversation_.wants_input() || is_lingering_)) return;
    is_reading_ = true;
    socket_.async_read_some(asio::buffer(input_),
                            [self = shared_from_this()](const error_code& ec, std::size_t count) {
                                self->on_read(ec, count);
                            });
}

void Connection::on_read(const error_code& ec, std::size_t count) {
    is_reading_ = false;
    if (is_closed_) return;
    if (is_lingering_) {
        lingered_bytes_ += count;
        if (ec || lingered_bytes_ > lingering_bytes_max) return close();
        return read();
    }
    if (ec && ec != asio::error::eof) return close();
    if (ec) {
        has_ended_ = true;
        conversation_.end_input();
    } else {
        if (!receive({input_.data(), count})) return;
        if (count == input_.size() && count < read_bytes_max) input_.resize(read_bytes_max);
    }
    go_on();
}

bool Connection::receive(std::string_view bytes) {
    if (tls_) return receive_records(bytes);
    conversation_.receive(bytes, Steady::now());
    return true;
}

bool Connection::receive_records(std::string_view bytes) {
    using enum TlsLink::Outcome;
    const bool was_open = tls_->is_open();
    const auto outcome = tls_->receive(bytes);
    if (!was_open && tls_->is_open()) host_.ended_handshake(true);
    if (!tls_->text().empty()) conversation_.receive(tls_->text(), Steady::now());
    if (outcome == goes_on) return true;
    if (outcome == ended) {
        has_ended_ = true;
        conversation_.end_input();
        return true;
    }
    if (!was_open) host_.ended_handshake(false);
    if (outcome == too_large) host_.reached(Limit::handshake_bytes);
    if (outcome == too_large || outcome == no_memory || is_writing_) {
        close();
        return false;
    }
    telemetry::log(telemetry::Level::debug, "http", "a TLS connection failed",
                   {{"reason", std::string(tls_->fault())}});
    fail_handshake(outcome == plain_http ? TlsLink::plain_answer() : std::string_view());
    return false;
}

void Connection::fail_handshake(std::string_view last_words) {
    output_ = last_words;
    tls_->take_output(output_);
    error_code ignored;  // the connection ends anyway
    if (!output_.empty()) (void)socket_.write_some(asio::buffer(output_), ignored);
    finish();
}

void Connection::go_on() {
    host_.deliver();
    advance();
    host_.deliver();
}

bool Connection::write() {
    error_code ec;
    const std::size_t sent = socket_.write_some(asio::buffer(output_), ec);
    if (ec && ec != asio::error::would_block) {
        close();
        return false;
    }
    if (sent == output_.size()) {
        free_large_output();
        return true;
    }
    is_writing_ = true;
    deadline_ = Steady::now() + options_.write_timeout;
    asio::async_write(socket_, asio::buffer(output_) + sent,
                      [self = shared_from_this()](const error_code& failed, std::size_t) {
                          self->on_written(failed);
                      });
    return false;
}

// Assigning an empty string would keep the memory.
void Connection::free_large_output() {
    if (output_.capacity() > kept_output_bytes_max) std::string().swap(output_);
}

void Connection::on_written(const error_code& ec) {
    is_writing_ = false;
    if (is_closed_) return;
    if (ec) return close();
    free_large_output();
    conversation_.sent(Steady::now());
    go_on();
}

void Connection::finish() {
    if (has_ended_) return close();
    error_code ec;
    (void)socket_.shutdown(Socket::shutdown_send, ec);
    if (ec) return close();
    is_lingering_ = true;
    deadline_ = Steady::now() + std::min<Steady::duration>(lingering_time, options_.read_timeout);
    read();
    host_.began_to_linger();
}

}  // namespace trackops::http
