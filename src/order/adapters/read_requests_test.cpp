#include "order/adapters/read_requests.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace trackops::order::adapters {
namespace {

constexpr std::string_view good = R"({
    "customerId": "018bcfe5-687b-7abc-8123-456789abcdef", "currency": "GBP", "shippingAmount": 390, "totalAmount": 1900.0,
    "items": [{"sku": "85123A", "quantity": 6, "unitAmount": 250, "name": "Holder"}, {"sku": "85123A", "quantity": 1, "unitAmount": 10}],
    "shippingAddress": {"line1": "1 High St", "city": "London", "postalCode": "N1", "country": "GB"},
    "externalRef": "536365", "metadata": {"channel": ["web"]}, "deliveryInstructions": null})";

std::vector<std::string> pointers(const Error& error) {
    std::vector<std::string> list;
    for (const FieldError& fault : error.fields) list.push_back(fault.pointer);
    std::ranges::sort(list);
    return list;
}

std::string with(std::string_view from, std::string_view to) {
    std::string text(good);
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
}

TEST(ReadDraft, TakesAWholeOrder) {
    const auto terms = read_order_terms(good);
    ASSERT_TRUE(terms) << terms.error().detail;
    EXPECT_EQ(terms->items.size(), 2U);
    EXPECT_EQ(terms->items[0], (domain::Line{"85123A", "Holder", 6, 250}));
    EXPECT_EQ(terms->metadata, R"({"channel":["web"]})");
    EXPECT_EQ(terms->total_amount_minor, 1900);
    EXPECT_FALSE(terms->delivery_instructions);
}

TEST(ReadDraft, NamesEveryFaultAtOnce) {
    const auto terms = read_order_terms(
        R"({"customerId": 5, "currency": "gbp", "colour": "red", "shippingAmount": -1, "totalAmount": 1.5,
        "items": [{"sku": " x", "quantity": 0, "unitAmount": "1", "weight": 1}, 7],
        "shippingAddress": {"line1": "", "city": "L", "country": "UK"}, "metadata": []})");
    ASSERT_FALSE(terms);
    EXPECT_EQ(terms.error().code, Errc::invalid);
    EXPECT_EQ(
        pointers(terms.error()),
        (std::vector<std::string>{"/colour", "/currency", "/customerId", "/items/0/quantity",
                                  "/items/0/sku", "/items/0/unitAmount", "/items/0/weight",
                                  "/items/1", "/metadata", "/shippingAddress/country",
                                  "/shippingAddress/line1", "/shippingAmount", "/totalAmount"}));
}

std::string with_address(std::string_view members) {
    return with(R"("line1": "1 High St", "city": "London", "postalCode": "N1", "country": "GB")",
                members);
}

TEST(ReadDraft, WantsAPostalCodeWhereTheCountryHasOne) {
    for (const auto* code :
         {"", R"(,"postalCode": "")", R"(,"postalCode": " ")", R"(,"postalCode": null)"}) {
        for (const auto* country : {"HK", "AE", "QA", "JM", "IE"}) {
            const auto terms = read_order_terms(with_address(
                std::string(R"("line1": "1", "city": "C", "country": ")") + country + '"' + code));
            ASSERT_TRUE(terms) << country << code;
            EXPECT_EQ(terms->shipping_address.postal_code, "");
        }
        const auto refused = read_order_terms(
            with_address(std::string(R"("line1": "1", "city": "C", "country": "GB")") + code));
        ASSERT_FALSE(refused);
        EXPECT_EQ(pointers(refused.error()),
                  std::vector<std::string>{"/shippingAddress/postalCode"});
        EXPECT_EQ(refused.error().fields.at(0).code, "required");
    }
    EXPECT_EQ(read_order_terms(
                  with_address(R"("line1":"1","city":"C","country":"IE","postalCode":"D02")"))
                  ->shipping_address.postal_code,
              "D02");
    EXPECT_EQ(
        read_order_terms(with_address(R"("line1":"1","city":"C","country":"GB","postalCode":7)"))
            .error()
            .fields.size(),
        1U)
        << "a code of the wrong type is not also missing";
}

TEST(ReadDraft, ChecksAnAddressByTheRulesOfItsCountry) {
    const auto read = [](std::string_view members) {
        return read_order_terms(
            with_address(R"("line1": "1", "city": "C", )" + std::string(members)));
    };
    const auto wrong = read(R"("country": "GB", "postalCode": "10115")");
    ASSERT_FALSE(wrong);
    ASSERT_EQ(wrong.error().fields.size(), 1U);
    EXPECT_EQ(wrong.error().fields[0],
              (FieldError{"/shippingAddress/postalCode",
                          "must be a postal code of GB, such as SW1Y 4JH", "format"}));
    const auto kind = read(R"("country": "GB", "postalCode": "sw1y4jh")");
    ASSERT_TRUE(kind);
    EXPECT_EQ(kind->shipping_address.postal_code, "sw1y4jh") << "it is kept as it was written";

    const auto nowhere = read(R"("country": "US", "postalCode": "9501", "region": " ")");
    ASSERT_FALSE(nowhere);
    EXPECT_EQ(pointers(nowhere.error()),
              (std::vector<std::string>{"/shippingAddress/postalCode", "/shippingAddress/region"}));
    EXPECT_EQ(nowhere.error().fields[1].code, "required");
    EXPECT_TRUE(read(R"("country": "US", "postalCode": "95014", "region": "CA")"));
    EXPECT_EQ(pointers(read(R"("country": "US", "postalCode": "95014", "region": 7)").error()),
              std::vector<std::string>{"/shippingAddress/region"});
    EXPECT_EQ(pointers(read(R"("country": "USA", "postalCode": "any")").error()),
              std::vector<std::string>{"/shippingAddress/country"});
}

TEST(ReadDraft, TakesTextsAsPeopleWriteThem) {
    const auto terms =
        read_order_terms(with(R"("deliveryInstructions": null)",
                              R"("deliveryInstructions": " Ring twice.\r\n\tThen wait.\n ")"));
    ASSERT_TRUE(terms);
    EXPECT_EQ(terms->delivery_instructions, "Ring twice.\r\n\tThen wait.");
    std::string thai;
    for (int i = 0; i < 200; ++i) thai += "\u0e01";
    const auto longest = read_order_terms(with("1 High St", thai));
    ASSERT_TRUE(longest) << longest.error().fields.at(0).detail;
    EXPECT_EQ(longest->shipping_address.line1, thai);
    EXPECT_EQ(pointers(read_order_terms(with("1 High St", thai + "\u0e01")).error()),
              std::vector<std::string>{"/shippingAddress/line1"});
    EXPECT_EQ(pointers(read_order_terms(with("1 High St", " \u3000 ")).error()),
              std::vector<std::string>{"/shippingAddress/line1"});
    EXPECT_EQ(read_order_terms(with("536365", " 536365 "))->external_ref, "536365");
    EXPECT_EQ(read_order_terms(with("536365", "  "))->external_ref, std::nullopt);
}

TEST(ReadDraft, RefusesASkuWithBlanksThatNobodySees) {
    for (const auto* sku : {"85123A ", "85  123A", " 85123A"}) {
        EXPECT_EQ(pointers(read_order_terms(with("\"85123A\", \"quantity\": 6",
                                                 std::string("\"") + sku + "\", \"quantity\": 6"))
                               .error()),
                  std::vector<std::string>{"/items/0/sku"})
            << sku;
    }
}

TEST(ReadDraft, KeepsTheDigitsOfMetadata) {
    EXPECT_EQ(read_order_terms(with(R"({"channel": ["web"]})",
                                    R"({"id": 12345678901234567890123, "p": 19.90, "e": 1e2})"))
                  ->metadata,
              R"({"id":12345678901234567890123,"p":19.90,"e":100})");
    std::string many = "[1e300";
    for (int i = 0; i < 60; ++i) many += ",1e300";
    const auto refused = read_order_terms(with(R"({"channel": ["web"]})", "{\"a\":" + many + "]}"));
    ASSERT_FALSE(refused);
    EXPECT_EQ(pointers(refused.error()), std::vector<std::string>{"/metadata"});
}

TEST(ReadDraft, WantsLinesAndAnAddress) {
    EXPECT_EQ(pointers(read_order_terms("{}").error()),
              (std::vector<std::string>{"/currency", "/customerId", "/items", "/shippingAddress"}));
    EXPECT_EQ(
        pointers(
            read_order_terms(
                with(
                    R"([{"sku": "85123A", "quantity": 6, "unitAmount": 250, "name": "Holder"}, {"sku": "85123A", "quantity": 1, "unitAmount": 10}])",
                    "[]"))
                .error()),
        std::vector<std::string>{"/items"});
}

TEST(ReadDraft, ChecksTheClientsTotal) {
    EXPECT_EQ(pointers(read_order_terms(with("1900.0", "1901")).error()),
              std::vector<std::string>{"/totalAmount"});
}

TEST(ReadDraft, CountsAdjustmentsIntoTheTotal) {
    const auto adjusted = [](std::string_view list, std::string_view total) {
        return read_order_terms(
            with("\"totalAmount\": 1900.0",
                 fmt::format(R"("totalAmount": {}, "adjustments": [{}])", total, list)));
    };
    const auto terms = adjusted(R"({"kind":"DISCOUNT","label":" Spring ","amount":-500},
                                   {"kind":"TAX","label":"VAT","amount":280})",
                                "1680");
    ASSERT_TRUE(terms) << terms.error().fields[0].detail;
    EXPECT_EQ(terms->adjustments,
              (std::vector<domain::Adjustment>{{domain::AdjustmentKind::discount, "Spring", -500},
                                               {domain::AdjustmentKind::tax, "VAT", 280}}));
    EXPECT_TRUE(adjusted(R"({"kind":"DISCOUNT","label":"Free","amount":-1900})", "0"));
    EXPECT_TRUE(adjusted("", "1900"));
    const auto faults_of = [&](std::string_view list, std::string_view total = "null") {
        const auto refused = adjusted(list, total);
        return refused ? std::vector<std::string>() : pointers(refused.error());
    };
    using Pointers = std::vector<std::string>;
    EXPECT_EQ(faults_of(R"({"kind":"DISCOUNT","label":"x","amount":-1901})"),
              Pointers{"/adjustments"});
    EXPECT_EQ(faults_of(R"({"kind":"FEE","label":"x","amount":1})", "1900"),
              Pointers{"/totalAmount"});
    EXPECT_EQ(faults_of(R"({"kind":"FEE","label":"x","amount":9007199254740991})"),
              Pointers{"/adjustments"});
    // Their order does not matter.
    EXPECT_TRUE(adjusted(R"({"kind":"FEE","label":"x","amount":9007199254740991},
                            {"kind":"OTHER","label":"y","amount":-9007199254740991})",
                         "1900"));
    EXPECT_EQ(faults_of(R"({"kind":"GIFT","label":" ","amount":-9007199254740992,"sku":"A"})"),
              (Pointers{"/adjustments/0/amount", "/adjustments/0/kind", "/adjustments/0/label",
                        "/adjustments/0/sku"}));
}

TEST(ReadDraft, RefusesNulAnywhereInMetadata) {
    for (const auto* metadata :
         {R"({"a": "b\u0000"})", R"({"a\u0000": 1})", R"({"a": [1, ["b", {"c": "\u0000"}]]})",
          R"({"a": {"b": {"\u0000c": null}, "d": 1}, "e": "f"})"}) {
        const auto terms = read_order_terms(with(R"({"channel": ["web"]})", metadata));
        ASSERT_FALSE(terms) << metadata;
        EXPECT_EQ(terms.error().code, Errc::invalid);
        EXPECT_EQ(pointers(terms.error()), std::vector<std::string>{"/metadata"});
        EXPECT_EQ(terms.error().fields.at(0).code, "format");
    }
    EXPECT_TRUE(
        read_order_terms(with(R"({"channel": ["web"]})", R"({"a": "\\u0000", "b": "\u0001"})")));
}

// Returns the object {"a":"..."} with a size of `bytes` bytes.
std::string object_of(std::size_t bytes) {
    return R"({"a":")" + std::string(bytes - 8, 'x') + "\"}";
}

TEST(ReadDraft, TakesMetadataUpToItsBorder) {
    const auto terms = read_order_terms(with(R"({"channel": ["web"]})", object_of(16 * 1024)));
    ASSERT_TRUE(terms);
    EXPECT_EQ(terms->metadata->size(), 16U * 1024);
    const auto longer = read_order_terms(with(R"({"channel": ["web"]})", object_of(16 * 1024 + 1)));
    EXPECT_EQ(pointers(longer.error()), std::vector<std::string>{"/metadata"});
}

TEST(ReadDraft, TakesQuantitiesAndAmountsUpToTheirBorders) {
    const auto of_line = [](std::string_view numbers) {
        return read_order_terms(with(R"("quantity": 6, "unitAmount": 250)", numbers));
    };
    for (const auto* numbers :
         {R"("quantity": 0, "unitAmount": 1)", R"("quantity": 1000001, "unitAmount": 1)"}) {
        EXPECT_EQ(pointers(of_line(numbers).error()),
                  std::vector<std::string>{"/items/0/quantity"});
    }
    EXPECT_EQ(pointers(of_line(R"("quantity": 1, "unitAmount": -1)").error()),
              std::vector<std::string>{"/items/0/unitAmount"});
    // Only the client's total is at fault: the line itself is taken.
    for (const auto* numbers :
         {R"("quantity": 1, "unitAmount": 1)", R"("quantity": 1000000, "unitAmount": 0)"}) {
        EXPECT_EQ(pointers(of_line(numbers).error()), std::vector<std::string>{"/totalAmount"});
    }
}

TEST(ReadDraft, RefusesWhatIsNoJson) {
    EXPECT_EQ(read_order_terms("{").error().code, Errc::malformed);
    EXPECT_EQ(read_order_terms(with("London", "Lon\xff")).error().code, Errc::malformed);
    EXPECT_EQ(
        read_order_terms(with("\"currency\"", "\"customerId\": \"x\", \"currency\"")).error().code,
        Errc::malformed);
    EXPECT_EQ(read_order_terms("[]").error().code, Errc::invalid);
}

TEST(ReadCommand, TakesWhatItsActionKnows) {
    EXPECT_EQ(read_command(domain::Action::ship, R"({"carrier": "DHL"})").value().shipment,
              (domain::Shipment{"DHL", {}}));
    EXPECT_EQ(read_command(domain::Action::cancel, "").value().reason, "");
    EXPECT_EQ(read_command(domain::Action::cancel, R"({"reason": "CHANGED_MIND"})").value().reason,
              "CHANGED_MIND");
    EXPECT_EQ(pointers(read_command(domain::Action::process, R"({"reason": "X"})").error()),
              std::vector<std::string>{"/reason"});
}

TEST(ReadCommand, KeepsOurReasonsOurs) {
    for (const auto* reason : {"OUT_OF_STOCK", "UNKNOWN_SKU", "TIMED_OUT", "lower", "_X", "A B"}) {
        EXPECT_EQ(pointers(read_command(domain::Action::cancel,
                                        std::string(R"({"reason": ")") + reason + "\"}")
                               .error()),
                  std::vector<std::string>{"/reason"})
            << reason;
    }
}

TEST(ReadCommand, TakesAnyWordInCapitalsForAReason) {
    for (const std::string& reason : {std::string("A"), std::string("Z"), std::string("AZ_09"),
                                      std::string("ZERO"), std::string(64, 'A')}) {
        EXPECT_EQ(
            read_command(domain::Action::cancel, R"({"reason": ")" + reason + "\"}").value().reason,
            reason);
    }
    for (const std::string& reason :
         {std::string("@A"), std::string("[A"), std::string("A@"), std::string("A["),
          std::string("A/"), std::string("A:"), std::string(65, 'A')}) {
        EXPECT_FALSE(read_command(domain::Action::cancel, R"({"reason": ")" + reason + "\"}"))
            << reason;
    }
}

TEST(ReadStatusChange, MapsStatusesToActions) {
    EXPECT_EQ(read_status_change(R"({"status": "PROCESSING"})").value().action,
              domain::Action::process);
    EXPECT_EQ(read_status_change(R"({"status": "SHIPPED", "carrier": "DHL"})").value().shipment,
              (domain::Shipment{"DHL", {}}));
    EXPECT_EQ(read_status_change(R"({"status": "CANCELLED", "reason": "X"})").value().reason, "X");
    EXPECT_EQ(read_status_change(R"({"status": "CONFIRMED"})").error().code,
              Errc::illegal_transition);
    EXPECT_EQ(read_status_change(R"({"status": "PENDING"})").error().code,
              Errc::illegal_transition);
    EXPECT_EQ(pointers(read_status_change(R"({"status": "EATEN"})").error()),
              std::vector<std::string>{"/status"});
    EXPECT_EQ(pointers(read_status_change("{}").error()), std::vector<std::string>{"/status"});
}

TEST(ReadDraft, TakesAnyPrintableTextAsACustomer) {
    constexpr std::string_view id = "018bcfe5-687b-7abc-8123-456789abcdef";
    const auto customer_of = [&](std::string_view text) {
        const auto terms = read_order_terms(with(id, text));
        return terms ? terms->customer.text : "refused";
    };
    EXPECT_EQ(customer_of("018BCFE5-687B-7ABC-8123-456789ABCDEF"), id);
    EXPECT_EQ(customer_of("  C-1 Müller "), "C-1 Müller");
    EXPECT_EQ(customer_of(std::string(64, 'x')), std::string(64, 'x'));
    EXPECT_EQ(customer_of(std::string(65, 'x')), "refused");
    EXPECT_EQ(customer_of(" "), "refused");
    EXPECT_EQ(customer_of("a\\u0007b"), "refused");
}

domain::OrderDetails details() {
    domain::OrderDetails details;
    details.shipping_address = {"Ada", "1 High St", {}, "London", {}, "N1", "GB", {}};
    details.external_ref = "R-1";
    details.metadata = R"({"a":1,"b":{"c":2}})";
    return details;
}

Result<domain::OrderDetails> patched(std::string_view patch) {
    const auto command = read_details_patch(patch);
    if (!command) return std::unexpected(command.error());
    return command->wanted(details());
}

TEST(ReadDetailsPatch, ChangesWhatItNamesAndNothingElse) {
    EXPECT_EQ(patched("{}").value(), details());
    domain::OrderDetails wanted = details();
    wanted.shipping_address.line1 = "2 Low St";
    wanted.shipping_address.recipient.reset();
    wanted.metadata = R"({"a":1,"b":{"d":3}})";
    wanted.external_ref.reset();
    wanted.delivery_instructions = "ring";
    wanted.shipment = domain::Shipment{"DHL", {}};
    EXPECT_EQ(
        patched(R"({"shippingAddress":{"line1":"2 Low St","recipient":null},"externalRef":null,)"
                R"("metadata":{"b":{"c":null,"d":3}},"deliveryInstructions":"ring",)"
                R"("shipment":{"carrier":"DHL"}})")
            .value(),
        wanted);
    wanted.metadata.reset();
    EXPECT_FALSE(patched(R"({"metadata":null})").value().metadata);
}

// As PostgreSQL gives it back.
TEST(ReadDetailsPatch, TakesAnotherFormOfTheSameMetadataForNoChange) {
    domain::OrderDetails stored = details();
    stored.metadata = R"({"b": {"c": 2}, "a": 1})";
    EXPECT_EQ(read_details_patch(R"({"metadata":{"a":1}})")->wanted(stored).value(), stored);
    EXPECT_EQ(read_details_patch(R"({"metadata":{"a":2}})")->wanted(stored)->metadata,
              R"({"b":{"c":2},"a":2})");
}

TEST(ReadDetailsPatch, NamesEveryFault) {
    EXPECT_EQ(pointers(patched(R"({"status":"SHIPPED","items":[],"metadata":{}})").error()),
              (std::vector<std::string>{"/items", "/status"}));
    EXPECT_EQ(pointers(patched(R"({"shippingAddress":{"line1":" ","country":"UK","zip":1},)"
                               R"("metadata":[],"externalRef":7,"shipment":{"carrier":1,"at":2}})")
                           .error()),
              (std::vector<std::string>{"/externalRef", "/metadata", "/shipment/at",
                                        "/shipment/carrier", "/shippingAddress/country",
                                        "/shippingAddress/line1", "/shippingAddress/zip"}));
    EXPECT_EQ(pointers(patched(R"({"shippingAddress":null})").error()),
              (std::vector<std::string>{"/shippingAddress"}));
    EXPECT_EQ(pointers(read_details_patch(
                           R"({"shippingAddress":{"line1":null,"country":"DE","postalCode":null}})")
                           .error()),
              (std::vector<std::string>{"/shippingAddress/line1"}));
    // A fault of one order, and none of another.
    EXPECT_EQ(pointers(patched(R"({"shippingAddress":{"postalCode":null}})").error()),
              (std::vector<std::string>{"/shippingAddress/postalCode"}));
    EXPECT_TRUE(read_details_patch(R"({"shippingAddress":{"postalCode":null}})"));
    EXPECT_EQ(read_details_patch("[]").error().code, Errc::invalid);
    EXPECT_EQ(read_details_patch("{").error().code, Errc::malformed);
}

// An order of an older version may have an address without the postal code that is demanded now.
TEST(ReadDetailsPatch, LeavesAloneWhatItDoesNotName) {
    domain::OrderDetails old = details();
    old.shipping_address.postal_code = "";
    const auto wanted = read_details_patch(R"({"externalRef":"R-2"})")->wanted(old);
    ASSERT_TRUE(wanted);
    EXPECT_EQ(wanted->shipping_address, old.shipping_address);
}

}  // namespace
}  // namespace trackops::order::adapters
