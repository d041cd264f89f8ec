#include "platform/redis/connection.hpp"

#include <fcntl.h>
#include <vector>

#include <hiredis/hiredis.h>

namespace trackops::cache {
namespace {

// The maximum size of an incomplete reply. Ours are a few KiB.
constexpr std::size_t reply_bytes_max = 64 * 1024 * 1024;

timeval timeval_of(Duration duration) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(duration);
    return {seconds.count(), (duration - seconds).count()};
}

}  // namespace

void FreeReply::operator()(redisReply* reply) const { freeReplyObject(reply); }
void RedisConnection::Free::operator()(redisContext* context) const { redisFree(context); }

RedisConnection::RedisConnection(const RedisTarget& target, Duration timeout)
    : context_(redisConnectWithTimeout(target.host.c_str(), target.port, timeval_of(timeout))) {
    if (context_ == nullptr) throw ConnectionLost("no memory for a connection");
    if (context_->err != 0) fail();
    // From here on the socket does not block; the caller waits with poll().
    const int flags = ::fcntl(context_->fd, F_GETFL);
    if (flags < 0 || ::fcntl(context_->fd, F_SETFL, flags | O_NONBLOCK) < 0)
        throw ConnectionLost("the socket cannot be made non-blocking");
    context_->flags &= ~REDIS_BLOCK;
    if (redisEnableKeepAlive(context_.get()) != REDIS_OK) fail();
}

int RedisConnection::fd() const { return context_->fd; }

void RedisConnection::add(std::initializer_list<std::string_view> words) {
    std::vector<const char*> texts;
    std::vector<std::size_t> sizes;
    for (const std::string_view word : words) {
        texts.push_back(word.data() == nullptr ? "" : word.data());
        sizes.push_back(word.size());
    }
    if (redisAppendCommandArgv(context_.get(), static_cast<int>(words.size()), texts.data(),
                               sizes.data()) != REDIS_OK)
        fail();
}

void RedisConnection::add(std::span<const std::string> words) {
    std::vector<const char*> texts;
    std::vector<std::size_t> sizes;
    for (const std::string& word : words) {
        texts.push_back(word.data());
        sizes.push_back(word.size());
    }
    if (redisAppendCommandArgv(context_.get(), static_cast<int>(words.size()), texts.data(),
                               sizes.data()) != REDIS_OK)
        fail();
}

bool RedisConnection::flush() {
    int is_done = 0;
    if (redisBufferWrite(context_.get(), &is_done) != REDIS_OK) fail();
    return is_done != 0;
}

void RedisConnection::read() {
    if (redisBufferRead(context_.get()) != REDIS_OK) fail();
    if (context_->reader->len > reply_bytes_max) throw ConnectionLost("a reply without end");
}

Reply RedisConnection::next() {
    void* reply = nullptr;
    if (redisGetReplyFromReader(context_.get(), &reply) != REDIS_OK) fail();
    return Reply(static_cast<redisReply*>(reply));
}

void RedisConnection::fail() const { throw ConnectionLost(context_->errstr); }

}  // namespace trackops::cache
