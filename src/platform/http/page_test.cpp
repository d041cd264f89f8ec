#include "platform/http/page.hpp"

#include <gtest/gtest.h>

#include "platform/json/writer.hpp"

namespace trackops::http {
namespace {

Request asking(std::string route) {
    Request request;
    request.route = std::move(route);
    request.params = {{"sku", "a b/c"}};
    request.query = {{"limit", "2"}, {"cursor", "old"}, {"q", "x&y"}};
    return request;
}

TEST(Page, LinksToTheNextOneWithTheSameQuestion) {
    const Response page = page_response(asking("/items/{sku}/movements"), "n/1",
                                        [](json::Writer& out) { out.value(1).value(2); });
    EXPECT_EQ(page.body, R"({"items":[1,2],"nextCursor":"n/1"})");
    ASSERT_EQ(page.headers.size(), 1U);
    EXPECT_EQ(page.headers[0].second,
              "</items/a%20b%2Fc/movements?limit=2&q=x%26y&cursor=n%2F1>; rel=\"next\"");
}

TEST(Page, TheLastOneLinksToNothing) {
    const Response page = page_response(asking("/items"), "", [](json::Writer&) {});
    EXPECT_EQ(page.body, R"({"items":[],"nextCursor":null})");
    EXPECT_TRUE(page.headers.empty());
}

TEST(Page, IsReadInPartsThatFit) {
    PageWriter page;
    EXPECT_EQ(page.next_part(0, 20), 20U);
    EXPECT_EQ(page.next_part(0, 500), 50U) << "nothing is known of their size";
    page.out().value(std::string(page_bytes_max / 10, 'x'));
    EXPECT_EQ(page.next_part(1, 500), 9U);
    EXPECT_EQ(page.next_part(1, 3), 3U);
    EXPECT_EQ(page.next_part(1, 0), 0U);
    page.out().value(std::string(page_bytes_max, 'x'));
    EXPECT_EQ(page.next_part(2, 500), 0U);
}

TEST(Page, IsFullWhenItIsLarge) {
    PageWriter page;
    const std::string text(page_bytes_max / 4, 'x');
    for (int i = 0; i < 3; ++i) page.out().value(text);
    EXPECT_FALSE(page.is_full());
    page.out().value(text);
    EXPECT_TRUE(page.is_full());
    EXPECT_GT(page.finish(asking("/items"), "c").body.size(), page_bytes_max);
}

}  // namespace
}  // namespace trackops::http
