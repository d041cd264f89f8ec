#include "platform/http/origin.hpp"

#include <sstream>

#include <gtest/gtest.h>

namespace trackops::http {
namespace {

const std::vector<std::string> public_hosts = {"shop.example", "order-service"};

int status_of_check(const Request& request) {
    const auto checked = check_origin(request, public_hosts);
    return checked ? 200 : status_of(checked.error().code);
}

int status_of_host(const std::string& host) {
    return status_of_check({.method = "GET", .headers = {{"host", host}}});
}

TEST(Host, MayBeAnAddressALocalNameOrAPublicName) {
    for (const auto* host :
         {"localhost", "localhost:8080", "LocalHost:1", "localhost.", "console.localhost:9000",
          "127.0.0.1", "127.0.0.1:8080", "10.1.2.3:80", "255.255.255.255", "[::1]", "[::1]:8080",
          "[2001:DB8::7]:443", "shop.example", "SHOP.example.:65535", "order-service:8080",
          "localhost:", ""}) {
        EXPECT_EQ(status_of_host(host), 200) << host;
    }
}

// A page that an attacker's name served may reach us under that name (DNS rebinding).
TEST(Host, OfAnyOtherNameIsMisdirected) {
    for (const auto* host :
         {"evil.example", "evil.example:8080", "x", "inventory-service:8081", "a.shop.example",
          "shop.example.evil.example", "localhost.evil.example", "notlocalhost", "127.1",
          "2130706433", "127.0.0.1.evil.example", "0x7f.0.0.1", "1.2.3.4.5", "256.0.0.1",
          "127.0.0.01x"}) {
        EXPECT_EQ(status_of_host(host), 421) << host;
    }
}

TEST(Host, OfAnotherFormIsMalformed) {
    for (const auto& host : std::to_array<std::string>(
             {"a b", "user@localhost", "localhost:80:80", "localhost:x", "localhost:123456", "[::1",
              "[::1]x", "[localhost]", "[]", "::1", ":80", ".", ".localhost", "localhost/",
              "http://localhost", "a,localhost", "\xc3\xa9", std::string("localhost\0", 10),
              std::string(254, 'a')})) {
        EXPECT_EQ(status_of_host(host), 400) << host;
    }
    EXPECT_EQ(status_of_host(std::string(253, 'a')), 421);
}

TEST(Host, TellsWhatWouldBeRight) {
    const auto checked =
        check_origin({.method = "GET", .headers = {{"host", "Shop:80"}}}, public_hosts);
    EXPECT_EQ(checked.error().detail,
              "this service does not have the name 'shop': use localhost, an IP address or a name "
              "of the setting public-host");
}

// In each row: status, host, origin, Sec-Fetch-Site ("-": no such header).
constexpr auto changes = R"(
200 localhost:8080     -                          -
200 localhost:8080     http://localhost:8080      -
200 localhost:8080     http://LOCALHOST.:8080     same-origin
200 localhost:8080     https://localhost:8080     none
200 localhost          http://localhost           -
200 localhost:80       http://localhost           -
200 shop.example       https://shop.example:443   -
200 shop.example:443   https://shop.example       -
200 [::1]:8080         http://[::1]:8080          -
200 -                  -                          -
200 -                  -                          same-origin
403 localhost:8080     http://localhost:8081      -
403 localhost:8080     http://localhost           -
403 localhost:8080     http://127.0.0.1:8080      -
403 localhost:80       https://localhost          -
403 localhost          https://localhost:80       -
403 localhost:8080     http://evil.example        -
403 localhost:8080     http://evil.example:8080   same-origin
403 localhost:8080     null                       -
403 localhost:8080     nonsense                   -
403 localhost:8080     localhost:8080             -
403 localhost:8080     file://                    -
403 localhost:8080     http://                    -
403 localhost:8080     chrome-extension://abc     -
403 localhost:8080     http://localhost:8080/     -
403 localhost:8080     http://localhost:8080@x    -
403 localhost:8080     -                          cross-site
403 localhost:8080     -                          same-site
403 localhost:8080     http://localhost:8080      cross-site
403 -                  http://localhost:8080      -
)";

TEST(Origin, OfAChangeIsAsTheTableSays) {
    std::istringstream lines(changes);
    std::string line;
    std::size_t count = 0;
    while (std::getline(lines, line)) {
        if (line.empty()) continue;
        std::istringstream words(line);
        int status = 0;
        std::string host;
        std::string origin;
        std::string site;
        words >> status >> host >> origin >> site;
        Request request;
        if (host != "-") request.headers.emplace_back("host", host);
        if (origin != "-") request.headers.emplace_back("origin", origin);
        if (site != "-") request.headers.emplace_back("sec-fetch-site", site);
        for (const auto* method : {"POST", "PUT", "PATCH", "DELETE", "BREW"}) {
            request.method = method;
            EXPECT_EQ(status_of_check(request), status) << method << ": " << line;
        }
        for (const auto* method : {"GET", "HEAD", "OPTIONS"}) {
            request.method = method;
            EXPECT_EQ(status_of_check(request), 200) << method << ": " << line;
        }
        ++count;
    }
    EXPECT_EQ(count, 30);
}

TEST(OriginCheck, RemembersAHostOnlyForRequestsThatChangeNothing) {
    OriginCheck check(public_hosts, {});
    const auto status = [&](Request request) {
        const auto checked = check.check(request);
        return checked ? 200 : status_of(checked.error().code);
    };
    const auto request = [](const char* method, const char* host, const char* origin = nullptr) {
        Request made{.method = method, .headers = {{"host", host}}};
        if (origin != nullptr) made.headers.emplace_back("origin", origin);
        return made;
    };
    EXPECT_EQ(status(request("GET", "localhost:8080")), 200);
    EXPECT_EQ(status(request("GET", "localhost:8080")), 200);
    EXPECT_EQ(status(request("POST", "localhost:8080", "http://evil.example")), 403);
    EXPECT_EQ(status(request("POST", "localhost:8080", "http://localhost:8080")), 200);
    EXPECT_EQ(status(request("GET", "evil.example")), 421);
    EXPECT_EQ(status(request("GET", "evil.example")), 421);  // what did not pass is not remembered
    EXPECT_EQ(status(request("GET", "a b")), 400);
    EXPECT_EQ(status(request("GET", "SHOP.example")), 200);
    EXPECT_EQ(status(request("GET", "localhost:8080")), 200);
    EXPECT_EQ(status({.method = "GET"}), 200);
    EXPECT_EQ(status(request("GET", "evil.example")), 421);
}

TEST(HostNames, AreAListOfNamesWithoutPorts) {
    EXPECT_EQ(parse_host_names("").value(), std::vector<std::string>{});
    EXPECT_EQ(parse_host_names("Shop.example.,order-service, a_b").value(),
              (std::vector<std::string>{"shop.example", "order-service", "a_b"}));
    for (const auto* list :
         {"shop:80", "shop:", "http://shop", "a,*.shop", "a,/", "[::1]", "a\xc3\xa9"}) {
        const auto names = parse_host_names(list);
        ASSERT_FALSE(names) << list;
        EXPECT_EQ(names.error().code, Errc::invalid);
    }
    EXPECT_EQ(parse_host_names("a,shop:80").error().detail,
              "'shop:80' is no host name; a name has no scheme and no port, such as shop.example");
}

}  // namespace
}  // namespace trackops::http
