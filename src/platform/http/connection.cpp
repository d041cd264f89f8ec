#include "platform/http/connection.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>

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
                       std::uint64_t id, const ClientAddress& address, Socket socket)
    : host_(home),
      options_(options),
      id_(id),
      address_(address),
      socket_(std::move(socket)),
      conversation_(home, router, options, id, Steady::now()),
      input_(read_bytes) {}

void Connection::advance() {
    while (!is_writing_ && !is_lingering_ && !is_closed_ && !is_yielding_) {
        output_.clear();
        conversation_.take_output(output_, Steady::now());
        if (output_.empty()) {
            if (conversation_.is_finished()) return finish();
            return read();
        }
        if (!write()) return;
        conversation_.sent(Steady::now());
        if (conversation_.has_output()) return yield();
    }
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
    if (conversation_.is_finished() && !is_writing_) return close();
    advance();
}

void Connection::check_time(Conversation::Time now) {
    if (is_lingering_) {
        if (now >= deadline_) close();
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
        conversation_.receive({input_.data(), count}, Steady::now());
        if (count == input_.size() && count < read_bytes_max) input_.resize(read_bytes_max);
    }
    go_on();
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
