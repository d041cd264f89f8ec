#include "platform/http_client/connection.hpp"

#include <cerrno>
#include <cstring>
#include <poll.h>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>

#include <netdb.h>

#include "platform/tls/session.hpp"

namespace trackops::http_client {
namespace {

using Steady = std::chrono::steady_clock;
using Failed = std::runtime_error;
using State = tls::Session::State;

}  // namespace

Connection::Connection(const std::string& host, std::uint16_t port,
                       const std::shared_ptr<const tls::Context>& context,
                       Steady::time_point deadline)
    : deadline_(deadline),
      session_(context ? std::make_unique<tls::Session>(context, host) : nullptr) {
    addrinfo wanted{};
    wanted.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const int fault = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &wanted, &found);
    if (fault != 0) throw Failed(::gai_strerror(fault));
    const std::unique_ptr<addrinfo, void (*)(addrinfo*)> all(found, ::freeaddrinfo);
    try {
        int error = 0;
        for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
            error = connect_to(*one);
            if (error == 0) break;
        }
        if (error != 0) throw Failed(std::strerror(error));
        shake_hands();
    } catch (const Failed&) {
        close();
        throw;
    }
}

Connection::~Connection() { close(); }

void Connection::close() {
    if (socket_ >= 0) ::close(socket_);
    socket_ = -1;
}

// Returns 0 or the error.
int Connection::connect_to(const addrinfo& address) {
    close();
    socket_ = ::socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (socket_ < 0) return errno;
    if (::connect(socket_, address.ai_addr, address.ai_addrlen) == 0) return 0;
    if (errno != EINPROGRESS) return errno;
    wait_for(POLLOUT);
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(socket_, SOL_SOCKET, SO_ERROR, &error, &size);
    return error;
}

void Connection::wait_for(short what) const {
    for (;;) {
        const auto left =
            std::chrono::ceil<std::chrono::milliseconds>(deadline_ - Steady::now()).count();
        if (left <= 0) throw Failed("no answer in time");
        pollfd waiting{socket_, what, 0};
        const int ready = ::poll(&waiting, 1, static_cast<int>(left));
        if (ready > 0) return;
        if (ready < 0 && errno != EINTR) throw Failed(std::strerror(errno));
    }
}

void Connection::send_bytes(std::string_view bytes) {
    while (!bytes.empty()) {
        wait_for(POLLOUT);
        const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent < 0 && errno == EAGAIN) continue;
        if (sent < 0) throw Failed(std::strerror(errno));
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
}

std::string_view Connection::receive_bytes() {
    for (;;) {
        wait_for(POLLIN);
        const auto count = ::recv(socket_, bytes_, sizeof bytes_, 0);
        if (count < 0 && errno == EAGAIN) continue;
        if (count < 0) throw Failed(std::strerror(errno));
        return {bytes_, static_cast<std::size_t>(count)};
    }
}

void Connection::send_records() {
    std::string records;
    session_->take_output(records);
    send_bytes(records);
}

void Connection::shake_hands() {
    if (!session_) return;
    for (;;) {
        send_records();
        if (session_->state() == State::failed) throw Failed("TLS: " + session_->fault());
        if (session_->is_open()) return;
        const std::string_view bytes = receive_bytes();
        if (bytes.empty()) throw Failed("TLS: the server ended the handshake");
        session_->receive(bytes, text_);
    }
}

void Connection::send(std::string_view text) {
    if (!session_) return send_bytes(text);
    session_->send(text);
    send_records();
}

std::string_view Connection::receive() {
    if (!session_) return receive_bytes();
    text_.clear();
    while (text_.empty()) {
        if (session_->state() == State::ended) return {};
        const std::string_view bytes = receive_bytes();
        if (bytes.empty()) throw Failed("TLS: the connection was cut");
        if (session_->receive(bytes, text_) == State::failed)
            throw Failed("TLS: " + session_->fault());
        send_records();
    }
    return text_;
}

}  // namespace trackops::http_client
