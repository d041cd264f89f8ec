// The bulk requests under way. Their work runs in steps on a few workers, and holds none of them
// while it waits for its client.
#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>

#include "platform/http/connection_slots.hpp"
#include "platform/http/pending_reply.hpp"
#include "platform/http/route.hpp"
#include "platform/http/workers.hpp"

namespace trackops::http {

class BulkRequests;

// One of them. Thread-safe.
class BulkRequest : public std::enable_shared_from_this<BulkRequest> {
public:
    BulkRequest(BulkRequests& all, const Route& route, const ClientAddress& client)
        : all_(all), route_(route), client_(client) {}
    // Calls the handler of the route, and then its work. Call it once.
    void begin(std::shared_ptr<PendingReply> pending);
    // There may be something to do: a step follows, unless one that is to come will see it.
    void wake();

private:
    friend class BulkRequests;
    enum class State : std::uint8_t {
        waiting,  // for wake()
        queued,   // a step will run
        running,
        woken,  // running, and another step will follow
    };
    void queue();
    void run();
    StreamWork::Next step();

    BulkRequests& all_;
    const Route& route_;
    const ClientAddress client_;
    std::atomic<State> state_ = State::queued;
    // Of the running thread.
    std::shared_ptr<PendingReply> pending_;
    std::unique_ptr<StreamWork> work_;
    bool has_begun_ = false;
};

// Holds each request until its work is done. Thread-safe.
class BulkRequests {
public:
    enum class Verdict : std::uint8_t { taken, full, full_for_client };
    struct Taken {
        Verdict verdict;
        std::shared_ptr<BulkRequest> request = {};  // if it is taken
    };
    // There may be `requests_max` requests, and of one client half of that (at least one). The half
    // does not hold for loopback, as in ConnectionSlots. `workers` outlive this object.
    BulkRequests(Workers& workers, std::size_t requests_max)
        : workers_(workers), requests_max_(requests_max) {}
    Taken take(const Route& route, const ClientAddress& client);
    // Lets go of all requests. Call it when the workers have stopped.
    void clear();

private:
    friend class BulkRequest;
    void queue(std::shared_ptr<BulkRequest> request);
    void remove(const BulkRequest& request);

    Workers& workers_;
    const std::size_t requests_max_;
    std::mutex mutex_;
    std::map<const BulkRequest*, std::shared_ptr<BulkRequest>> requests_;
    std::map<ClientAddress, std::size_t> by_client_;  // by network_of()
};

}  // namespace trackops::http
