#include "platform/http/forwarded.hpp"

#include <gtest/gtest.h>

namespace trackops::http {
namespace {

ClientAddress address(const std::string& text) { return parse_client_address(text).value(); }

using Headers = std::vector<std::pair<std::string, std::string>>;

struct Believed {
    ClientAddress client;
    std::string host;
    bool is_secure;
};
Believed believed(const std::string& peer, Headers headers) {
    static const auto trusted = parse_networks("10.0.0.0/8, 127.0.0.1,fd00::/8").value();
    Request request{.method = "GET"};
    request.headers = std::move(headers);
    request.headers.emplace_back("host", "upstream:8080");
    request.context.client = address(peer);
    believe_proxies(request, trusted);
    return {request.context.client, std::string(*request.header("host")),
            request.context.is_secure};
}

TEST(BelieveProxies, TakesTheClientThatTheTrustedProxiesName) {
    struct Case {
        const char* peer;
        Headers headers;
        const char* client;
    };
    const Case cases[] = {
        {"10.0.0.1", {{"x-forwarded-for", "192.0.2.7"}}, "192.0.2.7"},
        {"10.0.0.1", {{"x-forwarded-for", "1.1.1.1, 192.0.2.7"}}, "192.0.2.7"},
        {"10.0.0.1", {{"x-forwarded-for", "1.1.1.1, 192.0.2.7, 10.0.0.2"}}, "192.0.2.7"},
        {"10.0.0.1",
         {{"x-forwarded-for", "192.0.2.7"}, {"x-forwarded-for", "10.9.9.9"}},
         "192.0.2.7"},
        {"10.0.0.1", {{"x-forwarded-for", "10.0.0.3"}}, "10.0.0.3"},
        {"10.0.0.1", {{"x-forwarded-for", "192.0.2.7, unknown"}}, "10.0.0.1"},
        {"10.0.0.1", {{"x-forwarded-for", ""}}, "10.0.0.1"},
        {"10.0.0.1", {}, "10.0.0.1"},
        {"10.0.0.1", {{"forwarded", "for=192.0.2.7:4711;proto=https"}}, "192.0.2.7"},
        {"10.0.0.1", {{"forwarded", "For=\"[2001:db8::1]:80\", for=10.0.0.9"}}, "2001:db8::1"},
        {"10.0.0.1", {{"forwarded", "for=_hidden"}}, "10.0.0.1"},
        {"10.0.0.1", {{"forwarded", "for=192.0.2.7"}, {"x-forwarded-for", "1.1.1.1"}}, "192.0.2.7"},
        {"fd00::1", {{"x-forwarded-for", "2001:db8::1"}}, "2001:db8::1"},
    };
    for (const Case& one : cases)
        EXPECT_EQ(believed(one.peer, one.headers).client, address(one.client))
            << (one.headers.empty() ? "" : one.headers.front().second);
}

TEST(BelieveProxies, BelievesNobodyElse) {
    const Headers said = {{"x-forwarded-for", "127.0.0.1"},
                          {"forwarded", "for=127.0.0.1;host=evil.example"},
                          {"x-forwarded-host", "evil.example"},
                          {"x-forwarded-proto", "https"}};
    for (const std::string peer : {"192.0.2.1", "11.0.0.1", "127.0.0.2", "2001:db8::1"}) {
        EXPECT_EQ(believed(peer, said).client, address(peer));
        EXPECT_EQ(believed(peer, said).host, "upstream:8080");
        EXPECT_FALSE(believed(peer, said).is_secure);
    }
}

TEST(BelieveProxies, TakesTheSchemeOfTheLastProxy) {
    EXPECT_TRUE(believed("10.0.0.1", {{"x-forwarded-proto", "https"}}).is_secure);
    EXPECT_FALSE(believed("10.0.0.1", {{"x-forwarded-proto", "https, http"}}).is_secure);
    EXPECT_TRUE(believed("10.0.0.1", {{"forwarded", "for=1.1.1.1;proto=https"}}).is_secure);
}

TEST(BelieveProxies, TakesTheHostOfTheLastProxy) {
    EXPECT_EQ(believed("10.0.0.1", {{"x-forwarded-host", "evil, shop.example"}}).host,
              "shop.example");
    EXPECT_EQ(believed("10.0.0.1", {{"forwarded", "for=1.1.1.1;host=\"shop.example:443\""}}).host,
              "shop.example:443");
    EXPECT_EQ(believed("10.0.0.1", {{"x-forwarded-for", "1.1.1.1"}}).host, "upstream:8080");
}

TEST(Networks, ContainTheAddressesThatShareTheirBits) {
    const auto networks = parse_networks("192.0.2.0/25 10.1.2.3,2001:db8::/33").value();
    ASSERT_EQ(networks.size(), 3U);
    for (const char* const inside : {"192.0.2.0", "192.0.2.127", "10.1.2.3", "2001:db8:7fff::1"})
        EXPECT_TRUE(contains(networks, address(inside))) << inside;
    for (const char* const outside :
         {"192.0.2.128", "192.0.3.0", "10.1.2.4", "2001:db8:8000::", "::1"})
        EXPECT_FALSE(contains(networks, address(outside))) << outside;
    EXPECT_TRUE(contains(parse_networks("0.0.0.0/0").value(), address("8.8.8.8")));
    EXPECT_FALSE(contains(parse_networks("0.0.0.0/0").value(), address("2001:db8::1")));
    for (const char* const bad : {"10.0.0.1/8", "10.0.0.0/33", "shop.example", "10.0.0.0/", "::/x"})
        EXPECT_FALSE(parse_networks(bad)) << bad;
}

}  // namespace
}  // namespace trackops::http
