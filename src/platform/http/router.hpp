// Finds routes by method and path.
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "platform/http/route.hpp"

namespace trackops::http {

// Finds the route of a method and a path. Pure.
class Router {
public:
    // Throws std::logic_error if two routes have the same method and path.
    explicit Router(std::vector<Route> routes);
    ~Router();
    struct Match {
        const Route* route = nullptr;  // null: see `allowed`
        std::vector<std::pair<std::string, std::string>> params;
        // For 405 and OPTIONS: "GET, HEAD, POST, OPTIONS"; empty means 404.
        std::string allowed;
    };
    // `path` is still percent-encoded. A literal segment wins over {..} if it serves the method;
    // `allowed` lists the methods of the literal one alone. The path "*" is the server: the methods
    // of all routes.
    Match match(std::string_view method, std::string_view path) const;
    // Returns what a client may have meant by a path that no route has, such as "did you mean
    // /api/orders?", the service that has the path, or what there is at the place where the path
    // leaves the routes.
    std::string hint(std::string_view path) const;
    const std::vector<Route>& routes() const { return routes_; }

private:
    struct Node;  // one segment of a pattern
    // Returns the first path of another service that is meant, and that service; "" if none is.
    // is_meant (std::string_view -> bool).
    template <class IsMeant>
    std::string elsewhere(IsMeant is_meant) const;
    // Returns the shortest path without parameters that ends with a segment of `path`; "" if there
    // is none.
    std::string_view ending_alike(std::string_view path) const;
    std::vector<Route> routes_;
    std::unique_ptr<Node> root_;
};

}  // namespace trackops::http
