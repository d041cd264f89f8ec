// The workers of each class of work, which are its own: long requests of one class do not stop
// another.
#pragma once
#include <cstddef>

#include "platform/http/route.hpp"
#include "platform/http/server.hpp"
#include "platform/http/workers.hpp"

namespace trackops::http {

class WorkerClasses {
public:
    explicit WorkerClasses(const ServerOptions& options);
    // Returns the workers that call the handler of a request with a body of this size. Null: the
    // I/O thread calls it.
    Workers* of(Work work, std::size_t body_bytes);
    Workers& bulk() { return bulk_; }
    void stop();  // all of them

private:
    const std::size_t io_body_bytes_max_;
    Workers query_;
    Workers bulk_;
    // For Work::memory, so that such a request never waits behind one that asks a database.
    Workers large_body_;
};

}  // namespace trackops::http
