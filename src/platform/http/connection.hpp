// One connection of the server: a socket, and the conversation on it. Only the I/O thread uses it.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "platform/http/connection_slots.hpp"
#include "platform/http/conversation.hpp"
#include "platform/http/pending_reply.hpp"
#include "platform/http/tls_link.hpp"

namespace trackops::http {

// The server's services to a connection.
class ConnectionHost : public Conversation::Host {
public:
    virtual void forget(std::uint64_t connection, const ClientAddress& address) = 0;
    virtual void began_to_linger() = 0;
    virtual void ended_handshake(bool is_accepted) = 0;
    virtual void deliver() = 0;  // passes waiting responses to their connections
};

class Connection final : public std::enable_shared_from_this<Connection> {
public:
    // A concrete executor: no type erasure on the hot path.
    using Socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp,
                                                    boost::asio::io_context::executor_type>;
    // One that the server has accepted.
    struct Accepted {
        std::uint64_t id;
        ClientAddress address;
        Socket socket;
        std::unique_ptr<TlsLink> tls;  // null: plain HTTP
    };
    Connection(ConnectionHost& home, const Router& router, const ServerOptions& options,
               Accepted accepted);
    // Sends the output that is ready, then reads more or closes.
    void advance();
    UnansweredRequests& unanswered() { return unanswered_; }
    const ClientAddress& address() const { return address_; }
    void answer(AnswerQueue::Answer answer);
    // A stream has room or output.
    void on_notice();
    void refuse(const Error& error);
    void stop();
    void check_time(Conversation::Time now);
    bool is_lingering() const { return is_lingering_; }
    void close();

private:
    void read();
    void on_read(const boost::system::error_code& ec, std::size_t count);
    // Passes received bytes to the conversation; returns false if the connection is given up.
    bool receive(std::string_view bytes);
    bool receive_records(std::string_view bytes);
    void take_output();
    void take_records();
    // Ends a connection with which no TLS is spoken; `last_words` are sent as they are.
    void fail_handshake(std::string_view last_words);
    // All waiting output leaves in one write. That makes room for requests that may be answered at
    // once.
    void go_on();
    // Sends the output. Most responses fit the socket's buffer: one system call and no waiting.
    // Returns true if all was sent.
    bool write();
    // Goes on after the other connections, so that nobody waits for all that this one is sent.
    void yield();
    void free_large_output();
    void on_written(const boost::system::error_code& ec);
    // Closing a socket with unread bytes makes the kernel discard data that the client has not
    // received yet. So we wait until the client closes, too.
    void finish();
    ConnectionHost& host_;
    const ServerOptions& options_;
    const std::uint64_t id_;
    const ClientAddress address_;
    Socket socket_;
    const std::unique_ptr<TlsLink> tls_;  // null: plain HTTP
    Conversation conversation_;
    std::vector<char> input_;
    std::string output_;  // being written
    bool is_reading_ = false;
    bool is_writing_ = false;
    bool is_yielding_ = false;
    bool is_lingering_ = false;
    bool is_closed_ = false;
    bool has_ended_ = false;       // the client has closed its side
    Conversation::Time deadline_;  // of the write, or of the wait for the client's close
    std::size_t lingered_bytes_ = 0;
    UnansweredRequests unanswered_;
};

}  // namespace trackops::http
