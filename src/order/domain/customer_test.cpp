#include "order/domain/customer.hpp"

#include <gtest/gtest.h>

namespace trackops::order::domain {
namespace {

constexpr Instant early{1'000};
constexpr Instant late{2'000};

AddressId address_id(std::uint64_t number) { return AddressId(uuid_v7({1}, 0, number)); }

Address address_in(std::string country, std::string postal_code) {
    Address address;
    address.line1 = "1 High St";
    address.city = "London";
    address.country = std::move(country);
    address.postal_code = std::move(postal_code);
    return address;
}

class CustomerLife : public ::testing::Test {
protected:
    Result<void> apply_at(Instant now, const CustomerCommand& command) {
        auto changed = apply(record_, "c-1", command, now);
        if (!changed) return std::unexpected(std::move(changed).error());
        record_ = *std::move(changed);
        return {};
    }
    Result<void> add(std::uint64_t number, bool makes_default = false) {
        return apply_at(
            early, AddAddress{address_id(number), {}, address_in("GB", "N1 9GU"), makes_default});
    }
    Errc refusal_of(const CustomerCommand& command) {
        const auto before = record_;
        const auto changed = apply_at(late, command);
        EXPECT_EQ(record_, before);
        return changed ? Errc::internal : changed.error().code;
    }
    const CustomerAddress& address(std::uint64_t number) {
        return *find_address(*record_, address_id(number));
    }
    // The numbers of the addresses that are the default.
    std::vector<std::uint64_t> defaults() {
        std::vector<std::uint64_t> found;
        for (std::uint64_t number = 0; number < 10; ++number) {
            const auto* const one = find_address(*record_, address_id(number));
            if (one != nullptr && one->is_default) found.push_back(number);
        }
        return found;
    }
    static VersionCondition only(std::int64_t version) {
        return {.only = std::vector{version}, .except = {}};
    }

    std::optional<CustomerAggregate> record_;
};

using Numbers = std::vector<std::uint64_t>;

TEST_F(CustomerLife, BeginsOnceAndEnds) {
    ASSERT_TRUE(apply_at(early, CreateCustomer{{"Ada", "ada@example.com", {}, {}}}));
    EXPECT_EQ(record_->customer.id, "c-1");
    EXPECT_EQ(record_->customer.version, 1);
    EXPECT_EQ(refusal_of(CreateCustomer{}), Errc::conflict);
    EXPECT_EQ(refusal_of(DeleteCustomer{only(2)}), Errc::precondition_failed);
    ASSERT_TRUE(apply_at(late, DeleteCustomer{only(1)}));
    EXPECT_FALSE(record_);
    EXPECT_EQ(refusal_of(DeleteCustomer{}), Errc::not_found);
    EXPECT_EQ(refusal_of(ChangeCustomer{}), Errc::not_found);
    EXPECT_EQ(refusal_of(AddAddress{}), Errc::not_found);
    EXPECT_EQ(refusal_of(ChangeAddress{}), Errc::not_found);
    EXPECT_EQ(refusal_of(DeleteAddress{}), Errc::not_found);
}

TEST_F(CustomerLife, CountsAVersionForEachChangeOfTheDetails) {
    ASSERT_TRUE(apply_at(early, CreateCustomer{{"Ada", "ada@example.com", "1", R"({"a":1})"}}));
    ASSERT_TRUE(apply_at(late, ChangeCustomer{{.name = std::optional<std::string>("Augusta"),
                                               .email = std::optional<std::string>(),
                                               .phone = {},
                                               .metadata = {}},
                                              only(1)}));
    const Customer& customer = record_->customer;
    EXPECT_EQ(customer.details, (CustomerDetails{"Augusta", {}, "1", R"({"a":1})"}));
    EXPECT_EQ(customer.version, 2);
    EXPECT_EQ(customer.created_at, early);
    EXPECT_EQ(customer.updated_at, late);
    ASSERT_TRUE(apply_at({3'000}, ChangeCustomer{}));
    EXPECT_EQ(customer.version, 2) << "nothing has changed";
    EXPECT_EQ(customer.updated_at, late);
    EXPECT_EQ(refusal_of(ChangeCustomer{{}, only(1)}), Errc::precondition_failed);
}

TEST_F(CustomerLife, HasOneDefaultAddressWhateverHappens) {
    ASSERT_TRUE(apply_at(early, CreateCustomer{}));
    ASSERT_TRUE(add(1));
    EXPECT_EQ(defaults(), Numbers{1}) << "the first one";
    ASSERT_TRUE(add(2));
    EXPECT_EQ(defaults(), Numbers{1});
    ASSERT_TRUE(add(3, true));
    EXPECT_EQ(defaults(), Numbers{3});
    EXPECT_EQ(address(1).version, 2) << "its answer has changed: isDefault";
    EXPECT_EQ(address(2).version, 1);
    ASSERT_TRUE(apply_at(late, ChangeAddress{address_id(2), {.makes_default = true}, {}}));
    EXPECT_EQ(defaults(), Numbers{2});
    EXPECT_EQ(address(3).version, 2);
    ASSERT_TRUE(apply_at(late, DeleteAddress{address_id(2), {}}));
    EXPECT_EQ(defaults(), Numbers{1}) << "the oldest of the others";
    ASSERT_TRUE(apply_at(late, DeleteAddress{address_id(3), {}}));
    EXPECT_EQ(defaults(), Numbers{1});
    ASSERT_TRUE(apply_at(late, DeleteAddress{address_id(1), {}}));
    EXPECT_TRUE(record_->addresses.empty());
    EXPECT_EQ(record_->customer.version, 1) << "addresses have versions of their own";
}

TEST_F(CustomerLife, ChecksAChangedAddressAsAWhole) {
    ASSERT_TRUE(apply_at(early, CreateCustomer{}));
    ASSERT_TRUE(add(1));
    const ChangeAddress emigrates{address_id(1), {.country = "DE"}, {}};
    EXPECT_EQ(refusal_of(emigrates), Errc::invalid);
    const auto refused = apply_at(late, emigrates);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().fields,
              (std::vector<FieldError>{
                  {"/postalCode", "must be a postal code of DE, such as 10115", "format"}}));
    ASSERT_TRUE(apply_at(
        late, ChangeAddress{address_id(1),
                            {.postal_code = std::optional<std::string>("10115"), .country = "DE"},
                            only(1)}));
    EXPECT_EQ(address(1).address.postal_code, "10115");
    EXPECT_EQ(address(1).version, 2);
    EXPECT_EQ(refusal_of(ChangeAddress{address_id(1), {}, only(1)}), Errc::precondition_failed);
    EXPECT_EQ(refusal_of(DeleteAddress{address_id(1), only(1)}), Errc::precondition_failed);
    EXPECT_EQ(refusal_of(ChangeAddress{address_id(2), {}, {}}), Errc::not_found);
    EXPECT_EQ(refusal_of(DeleteAddress{address_id(2), {}}), Errc::not_found);
    EXPECT_EQ(
        refusal_of(ChangeAddress{address_id(1), {.postal_code = std::optional<std::string>()}, {}}),
        Errc::invalid);
}

TEST_F(CustomerLife, HasAMaximumOfAddresses) {
    ASSERT_TRUE(apply_at(early, CreateCustomer{}));
    for (std::uint64_t number = 0; number < customer_addresses_max; ++number)
        ASSERT_TRUE(add(number));
    EXPECT_EQ(refusal_of(AddAddress{address_id(500), {}, address_in("GB", "N1"), false}),
              Errc::conflict);
}

TEST(CustomerId, IsAnyPrintableText) {
    EXPECT_TRUE(is_customer_id("42") && is_customer_id("018bcfe5-687b-7abc-8123-456789abcdef") &&
                is_customer_id("a b/\u00e9?#%") && is_customer_id(std::string(64, 'x')));
    std::string longest;
    for (int i = 0; i < 64; ++i) longest += "\u0e01";
    EXPECT_TRUE(is_customer_id(longest));
    EXPECT_FALSE(is_customer_id("") || is_customer_id(" a") || is_customer_id("a\u00a0") ||
                 is_customer_id("a\nb") || is_customer_id("a\x7f") ||
                 is_customer_id(longest + "x") || is_customer_id(std::string("a\0b", 3)));
}

}  // namespace
}  // namespace trackops::order::domain
