#include "platform/http/response_parser.hpp"

#include <gtest/gtest.h>

namespace trackops::http {
namespace {

constexpr std::size_t header_bytes_max = 512;
constexpr std::size_t body_bytes_max = 64;

// Returns "status body" once the bytes, given in pieces, are one whole response, or what is wrong.
std::string parsed(std::string_view bytes, std::size_t piece, bool ends = false) {
    ResponseParser parser(header_bytes_max, body_bytes_max);
    while (!bytes.empty()) {
        const std::string_view next = bytes.substr(0, piece);
        bytes.remove_prefix(next.size());
        const auto is_complete = parser.receive(next);
        if (!is_complete) return is_complete.error().detail;
        if (*is_complete && !bytes.empty()) return "complete too early";
        if (*is_complete)
            return std::to_string(parser.status()) + ' ' + parser.body() +
                   (parser.keeps_alive() ? "" : ", closes");
    }
    if (!ends) return "not complete";
    if (const auto ended = parser.end_input(); !ended) return ended.error().detail;
    return std::to_string(parser.status()) + ' ' + parser.body();
}

// Beast's parser ends the process when a last chunk of fewer than five bytes grows.
TEST(ResponseParser, TakesAResponseInPiecesOfAnySize) {
    const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    const std::pair<std::string, std::string> cases[] = {
        {"HTTP/1.1 201 Created\r\nContent-Length: 3\r\n\r\nabc", "201 abc"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", "200 , closes"},
        {"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na", "200 a, closes"},
        {"HTTP/1.1 204 No Content\r\n\r\n", "204 "},
        {"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", "304 "},
        {chunked + "0\r\n\r\n", "200 "},
        {chunked + "00\r\n\r\n", "200 "},
        {chunked + "0;a=b\r\n\r\n", "200 "},
        {chunked + "0\r\nExpires: never\r\n\r\n", "200 "},
        {chunked + "1\r\n0\r\n0\r\n\r\n", "200 0"},
        {chunked + "2\r\n00\r\n1\r\n0\r\n0\r\nA: b\r\n\r\n", "200 000"}};
    for (const auto& [bytes, expected] : cases) {
        for (std::size_t piece = 1; piece <= bytes.size(); ++piece)
            EXPECT_EQ(parsed(bytes, piece), expected) << bytes << " by " << piece;
    }
}

TEST(ResponseParser, TakesABodyThatEndsWithTheConnection) {
    const std::string open = "HTTP/1.1 200 OK\r\n\r\nabc";
    const std::string cut_off = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabc";
    const std::string chunk =
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n";
    for (const std::size_t piece : {1U, 2U, 100U}) {
        EXPECT_EQ(parsed(open, piece, true), "200 abc");
        for (const std::string& bytes : {cut_off, chunk, std::string("HTTP/1.1 2"), std::string()})
            EXPECT_EQ(parsed(bytes, piece, true),
                      "the server closed the connection before its response ended");
    }
}

TEST(ResponseParser, RefusesWhatIsTooLargeOrNotHttp) {
    const std::string header_too_large = "the response's headers are larger than they may be";
    const std::string body_too_large = "the response's body is larger than it may be";
    const std::string long_text(header_bytes_max, 'x');
    const std::string start = "HTTP/1.1 200 OK\r\n";
    const std::string chunked = start + "Transfer-Encoding: chunked\r\n\r\n";
    for (const std::size_t piece : {1U, 7U, 10'000U}) {
        EXPECT_EQ(parsed(start + "A: " + long_text + "\r\n\r\n", piece), header_too_large);
        EXPECT_EQ(parsed(chunked + "0\r\nA: " + long_text + long_text, piece), header_too_large);
        EXPECT_EQ(parsed(chunked + "1;" + long_text + long_text, piece), header_too_large);
        EXPECT_EQ(parsed(start + "Content-Length: 65\r\n\r\n", piece), body_too_large);
        EXPECT_EQ(parsed(chunked + "41\r\n", piece), body_too_large);
        EXPECT_EQ(parsed(start + "\r\n" + std::string(65, 'x'), piece), body_too_large);
        EXPECT_NE(parsed("SMTP\r\n\r\n", piece).find("not HTTP/1.1"), std::string::npos);
        EXPECT_NE(parsed(chunked + "x\r\n", piece).find("not HTTP/1.1"), std::string::npos);
    }
}

TEST(ResponseParser, FindsAHeaderInAnyCaseAndNoTrailer) {
    ResponseParser parser(header_bytes_max, body_bytes_max);
    ASSERT_TRUE(parser
                    .receive("HTTP/1.1 503 Busy\r\nRETRY-after: 3\r\nretry-After: 4\r\n"
                             "Transfer-Encoding: chunked\r\n\r\n0\r\nLate: yes\r\n\r\n")
                    .value());
    EXPECT_EQ(parser.status(), 503);
    EXPECT_EQ(parser.header("Retry-After"), "3");
    EXPECT_EQ(parser.header("Late"), std::nullopt);
    EXPECT_TRUE(parser.keeps_alive());
}

// The bytes behind a response belong to no request.
TEST(ResponseParser, KeepsNoConnectionThatSendsMoreThanTheResponse) {
    ResponseParser parser(header_bytes_max, body_bytes_max);
    ASSERT_TRUE(parser.receive("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1").value());
    EXPECT_FALSE(parser.keeps_alive());
}

}  // namespace
}  // namespace trackops::http
