#include "platform/http/contract_pages.hpp"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contracts/order_service.hpp"
#include "platform/http/calls_for_tests.hpp"

namespace trackops::http {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

class ContractPages : public ::testing::Test {
protected:
    Calls calls{contract_routes(contracts::order_service), [] {}};
};

std::set<std::string> all_codes() {
    std::set<std::string> codes;
    for (std::size_t i = 0; i < errc_count; ++i) codes.emplace(code_of(static_cast<Errc>(i)));
    return codes;
}

TEST_F(ContractPages, GiveTheDocumentAtBothPaths) {
    const Response document = calls.call("GET", "/openapi.json");
    EXPECT_EQ(document.content_type, "application/json");
    EXPECT_EQ(member(document, "openapi"), "3.1.0");
    EXPECT_EQ(calls.call("GET", "/v3/api-docs").body, document.body);
}

TEST_F(ContractPages, LeadFromTheStartToTheDocs) {
    const Response start = calls.call("GET", "/");
    EXPECT_EQ(start.status, 302);
    EXPECT_EQ(header(start, "Location"), "/docs");
    EXPECT_TRUE(start.body.empty());
}

TEST_F(ContractPages, NeedNoScriptAndNoOtherPlace) {
    for (const std::string path : {"/docs", "/problems/unavailable"}) {
        const Response page = calls.call("GET", path);
        EXPECT_EQ(page.content_type, "text/html; charset=utf-8");
        EXPECT_THAT(header(page, "Content-Security-Policy"), HasSubstr("default-src 'none'"));
        EXPECT_LT(page.body.size(), 96U * 1024);
        EXPECT_THAT(page.body, HasSubstr("<!doctype html>"));
        EXPECT_THAT(page.body, Not(ContainsRegex("<script|<img|<link|<iframe|@import|url[(]")));
        EXPECT_THAT(page.body, Not(ContainsRegex("(href|src)=\"[^/#]")));
    }
}

TEST_F(ContractPages, ExplainEveryCode) {
    const std::set<std::string> retries{"never", "same-key", "later"};
    for (std::size_t i = 0; i < errc_count; ++i) {
        const auto errc = static_cast<Errc>(i);
        const std::string code(code_of(errc));
        const std::string page = calls.call("GET", "/problems/" + code).body;
        EXPECT_THAT(page, HasSubstr("<h1>" + std::string(title_of(errc)) + "</h1>"));
        EXPECT_THAT(page, HasSubstr("<code>" + code + "</code>"));
        EXPECT_THAT(page, HasSubstr("Status: " + std::to_string(status_of(errc))));
        constexpr std::string_view mark = "<h2>Repeat: ";
        const std::size_t from = page.find(mark) + mark.size();
        const std::string retry = page.substr(from, page.find('<', from) - from);
        EXPECT_TRUE(retries.contains(retry)) << code << ": " << retry;
        const int status = status_of(errc);
        const bool is_passing = status >= 500 || status == 408 || status == 429;
        EXPECT_EQ(retry != "never", is_passing) << code;
    }
    EXPECT_EQ(calls.call("GET", "/problems/nothing").status, 404);
}

TEST_F(ContractPages, KnowTheCodesThatTheContractHas) {
    const auto document = json::Document::parse(contracts::order_service.openapi);
    ASSERT_TRUE(document);
    std::set<std::string> documented;
    json::Value at = document->root();
    for (const auto* name : {"components", "schemas", "Problem", "properties", "code", "enum"})
        at = at.find(name).value();
    at.each_element([&](std::size_t, json::Value code) { documented.emplace(*code.text()); });
    EXPECT_EQ(documented, all_codes());
}

}  // namespace
}  // namespace trackops::http
