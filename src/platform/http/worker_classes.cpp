#include "platform/http/worker_classes.hpp"

namespace trackops::http {

WorkerClasses::WorkerClasses(const ServerOptions& options)
    : io_body_bytes_max_(options.io_body_bytes_max),
      query_(options.edge.query_workers, options.query_queue_max),
      bulk_(options.edge.bulk_workers, options.edge.bulk_requests_max),
      large_body_(options.large_body_workers, options.large_body_queue_max) {}

Workers* WorkerClasses::of(Work work, std::size_t body_bytes) {
    switch (work) {
        case Work::query:
            return &query_;
        case Work::bulk:
            return &bulk_;
        case Work::memory:
            break;
    }
    return body_bytes > io_body_bytes_max_ ? &large_body_ : nullptr;
}

void WorkerClasses::stop() {
    query_.stop();
    bulk_.stop();
    large_body_.stop();
}

}  // namespace trackops::http
