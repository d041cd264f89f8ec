// Routes as rows: method, pattern, thread of the handler, handler.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "platform/http/message.hpp"

namespace trackops::http {

enum class Run : std::uint8_t {
    on_io,      // must not block: works in memory, or passes the command to a combiner
    on_worker,  // may block; its queue is bounded, and a full one means 503
};

// The request lives as long as the reply.
using Handler = std::function<void(const Request&, Reply)>;

struct Route {
    std::string_view method;  // GET also serves HEAD
    // /api/orders/{id}; a segment in braces matches one non-empty segment
    std::string_view pattern;
    Run run;
    Handler handler;
    std::size_t body_bytes_max = 0;  // 0: the server's default
    // The required type of a body (415 otherwise). Checked only for methods with a body.
    std::string_view media_type = "application/json";
    bool body_optional = false;  // a POST may come without body and content type
};

// Finds the route of a method and a path. Pure.
class Router {
public:
    // Throws std::logic_error if two routes have the same method and path.
    explicit Router(std::vector<Route> routes);
    ~Router();
    struct Match {
        const Route* route = nullptr;  // null: see `allowed`
        std::vector<std::pair<std::string, std::string>> params;
        std::string allowed;  // for 405: "GET, HEAD, POST"; empty means 404
    };
    // `path` is still percent-encoded. A literal segment wins over {..} if it serves the method;
    // `allowed` lists the methods of both.
    Match match(std::string_view method, std::string_view path) const;
    const std::vector<Route>& routes() const { return routes_; }

private:
    struct Node;  // one segment of a pattern
    std::vector<Route> routes_;
    std::unique_ptr<Node> root_;
};

}  // namespace trackops::http
