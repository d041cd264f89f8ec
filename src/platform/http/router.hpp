// Routes are rows: method, pattern, where the handler runs, handler.
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
    on_io,      // must not block: pure memory, or hands over to a combiner
    on_worker,  // may ask a database; a bounded queue, full: 503
};

using Handler =
    std::function<void(const Request&, Reply)>;  // the request lives as long as the reply

struct Route {
    std::string_view method;   // GET serves HEAD too
    std::string_view pattern;  // /api/orders/{id}; a segment in braces takes one non-empty segment
    Run run;
    Handler handler;
    std::size_t body_bytes_max = 0;                    // 0: the server's default
    std::string_view media_type = "application/json";  // what a body must be (415 otherwise); only
                                                       // asked of methods with a body
    bool body_optional = false;  // a POST that may come without body and content type
};

// Pure: which route a method and path mean.
class Router {
public:
    // std::logic_error for two routes that mean the same method and path.
    explicit Router(std::vector<Route> routes);
    ~Router();
    struct Match {
        const Route* route = nullptr;  // nothing: see allowed
        std::vector<std::pair<std::string, std::string>> params;
        std::string allowed;  // for 405: "GET, HEAD, POST"; "" means 404
    };
    // path: still percent-encoded. Literal segments win over {..} where they serve the
    // method; what is allowed is what either serves.
    Match match(std::string_view method, std::string_view path) const;
    const std::vector<Route>& routes() const { return routes_; }

private:
    struct Node;  // one segment of the patterns
    std::vector<Route> routes_;
    std::unique_ptr<Node> root_;
};

}  // namespace trackops::http
