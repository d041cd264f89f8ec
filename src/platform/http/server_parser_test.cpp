#include "platform/http/server_parser.hpp"

#include <gtest/gtest.h>

namespace trackops::http {
namespace {

// RFC 9110, 6.5.1: a trailer that changes how the request is routed or handled must not be merged
// into its headers. A proxy in front of the server checks the headers only.
TEST(RequestParser, KeepsTheTrailersOfAChunkedBodyOutOfTheHeaders) {
    const std::string_view head =
        "POST /a HTTP/1.1\r\nHost: localhost\r\nIdempotency-Key: first\r\nTransfer-Encoding: "
        "chunked\r\n\r\n";
    const std::string_view rest =
        "3\r\nabc\r\n0\r\nIdempotency-Key: second\r\nHost: y\r\nExpect: 100-continue\r\n\r\n";
    RequestParser parser(1024);
    std::size_t used = 0;
    ASSERT_EQ(parser.parse(head, used).value(), RequestParser::Step::header);
    ASSERT_EQ(used, head.size());
    const auto headers = parser.request().headers;
    ASSERT_TRUE(parser.take_body(1024, true));
    const auto step = parser.parse(rest, used);
    ASSERT_TRUE(step) << step.error().detail;
    EXPECT_EQ(*step, RequestParser::Step::complete);
    EXPECT_EQ(used, rest.size());
    EXPECT_EQ(parser.request().body, "abc");
    EXPECT_EQ(parser.request().headers, headers);
    EXPECT_EQ(parser.request().header("idempotency-key"), "first");
    EXPECT_EQ(parser.request().header("host"), "localhost");
    EXPECT_FALSE(parser.head().expects_continue);
}

// Beast's parser has ended the process when a last chunk of fewer than five bytes grew.
TEST(RequestParser, TakesABodyOfChunksByteForByte) {
    const std::string_view head =
        "POST /a HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (const std::string_view body :
         {"0\r\n\r\n", "00\r\n\r\n", "0;a=b\r\n\r\n",
          "0\r\nIdempotency-Key: late\r\nHost: y\r\n\r\n", "1\r\n0\r\n0\r\n\r\n",
          "1\r\n0\r\n1\r\n0\r\n0\r\nHost: y\r\n\r\n"}) {
        RequestParser parser(1024);
        std::size_t used = 0;
        ASSERT_EQ(parser.parse(head, used).value(), RequestParser::Step::header);
        ASSERT_TRUE(parser.take_body(1024, true));
        std::string unparsed;
        auto step = RequestParser::Step::need_more;
        for (const char c : body) {
            ASSERT_EQ(step, RequestParser::Step::need_more) << body;
            unparsed += c;
            // The same bytes come again when a connection goes on.
            for (int i = 0; i < 2 && step == RequestParser::Step::need_more; ++i) {
                step = parser.parse(unparsed, used).value();
                unparsed.erase(0, used);
            }
        }
        EXPECT_EQ(step, RequestParser::Step::complete) << body;
        EXPECT_EQ(parser.request().headers.size(), 2U) << body;
        EXPECT_EQ(unparsed, "") << body;
    }
}

}  // namespace
}  // namespace trackops::http
