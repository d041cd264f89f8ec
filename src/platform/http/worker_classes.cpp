#include "platform/http/worker_classes.hpp"

namespace trackops::http {

WorkerClasses::WorkerClasses(const ServerOptions& options)
    : io_body_bytes_max_(options.io_body_bytes_max),
      query_(options.workers, options.worker_queue_max),
      bulk_(options.bulk_workers, options.bulk_queue_max),
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

std::size_t memory_of_stream(const ServerOptions& options) {
    return 2 * options.body_stream.bytes_max + options.answer_stream_bytes_max;
}

}  // namespace trackops::http
