// A blocking client over a raw socket, so that a test can send bytes that no correct client would
// send.
#pragma once
#include <arpa/inet.h>
#include <cstdlib>
#include <netinet/in.h>
#include <optional>
#include <poll.h>
#include <stdexcept>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace trackops::http {

class RawClient {
public:
    explicit RawClient(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
            ::close(fd_);
            throw std::runtime_error("connection refused");
        }
    }
    RawClient(RawClient&& other) noexcept
        : fd_(std::exchange(other.fd_, -1)), received_(std::move(other.received_)) {}
    RawClient& operator=(RawClient&&) = delete;
    ~RawClient() {
        if (fd_ >= 0) ::close(fd_);
    }

    // Returns false if the server has closed the connection.
    bool send(std::string_view bytes) {
        while (!bytes.empty()) {
            const auto sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent <= 0) return false;
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
        return true;
    }
    void end() { ::shutdown(fd_, SHUT_WR); }
    void reset() {
        const linger now{1, 0};
        ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
        ::close(std::exchange(fd_, -1));
    }
    // Lets the kernel buffer only few unread bytes.
    void shrink_window() {
        const int bytes = 1024;
        ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    }

    struct Answer {
        int status = 0;  // 0: the connection ended before a response
        std::string head;
        std::string body;
        std::string header(const std::string& name) const {
            const std::size_t at = head.find("\r\n" + name + ": ");
            if (at == std::string::npos) return "";
            const std::size_t from = at + name.size() + 4;
            return head.substr(from, head.find("\r\n", from) - from);
        }
    };
    // Waits for one whole response. without_body: the response to a HEAD request.
    Answer answer(bool without_body = false) {
        Answer result;
        std::size_t end = 0;
        while ((end = received_.find("\r\n\r\n")) == std::string::npos) {
            if (!receive()) return result;
        }
        result.head = received_.substr(0, end + 2);
        received_.erase(0, end + 4);
        result.status = std::atoi(result.head.c_str() + 9);
        if (result.header("Transfer-Encoding") == "chunked" && !without_body)
            return with_chunks(result);
        const std::string length = result.header("Content-Length");
        const std::size_t size =
            without_body || length.empty() ? 0 : std::strtoul(length.c_str(), nullptr, 10);
        while (received_.size() < size) {
            if (!receive()) return {};
        }
        result.body = received_.substr(0, size);
        received_.erase(0, size);
        return result;
    }
    // Waits for the head of a response whose body comes in chunks.
    Answer head() { return answer(true); }
    // Waits for one chunk; "" for the last one. Nothing if the connection ended before it.
    std::optional<std::string> chunk() {
        std::size_t end = 0;
        while ((end = received_.find("\r\n")) == std::string::npos) {
            if (!receive()) return std::nullopt;
        }
        const std::size_t size = std::strtoul(received_.c_str(), nullptr, 16);
        while (received_.size() < end + 2 + size + 2) {
            if (!receive()) return std::nullopt;
        }
        std::string text = received_.substr(end + 2, size);
        received_.erase(0, end + 2 + size + 2);
        return text;
    }
    Answer ask(std::string_view bytes, bool without_body = false) {
        send(bytes);
        return answer(without_body);
    }
    // Waits for some bytes and returns them; "" at the end.
    std::string receive_some() {
        if (received_.empty()) (void)receive();
        return std::exchange(received_, {});
    }
    // Waits until the server closes. Returns true if it sent nothing before that.
    bool is_closed() {
        if (!received_.empty()) return false;
        return !receive() && received_.empty();
    }

    // Waits until the server closes. Returns true if that was not a reset, which can cost a client
    // its response.
    bool ends_without_reset() {
        while (receive()) {
        }
        return !was_reset_;
    }

private:
    Answer with_chunks(Answer result) {
        for (;;) {
            const auto part = chunk();
            if (!part) return {};
            if (part->empty()) return result;
            result.body += *part;
        }
    }
    bool receive() {
        pollfd waiting{fd_, POLLIN, 0};
        if (::poll(&waiting, 1, 20'000) != 1) throw std::runtime_error("the server says nothing");
        char bytes[16384];
        const auto count = ::recv(fd_, bytes, sizeof bytes, 0);
        was_reset_ = count < 0;
        if (count <= 0) return false;
        received_.append(bytes, static_cast<std::size_t>(count));
        return true;
    }
    int fd_;
    std::string received_;
    bool was_reset_ = false;
};

}  // namespace trackops::http
