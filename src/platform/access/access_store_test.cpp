#include "platform/access/access_store.hpp"

#include <atomic>
#include <filesystem>
#include <fstream>
#include <sys/stat.h>
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "platform/access/key_text.hpp"
#include "platform/telemetry/metrics.hpp"
#include "testing/fakes.hpp"

namespace trackops::access {
namespace {

using http::Scope;
using ::testing::HasSubstr;

constexpr Duration day = std::chrono::hours(24);

http::Request with_key(std::string_view authorization) {
    http::Request request;
    request.headers = {{"host", "localhost"}, {"authorization", std::string(authorization)}};
    return request;
}

class CallersTest : public ::testing::Test {
protected:
    Key entry(const std::string& name, const NewKey& key) const {
        return {.name = name,
                .id = key.id,
                .digest = key.digest,
                .scopes = {Scope::orders_read},
                .not_before = now_ - day,
                .not_after = now_ + day};
    }
    // The outcome and the name of the caller.
    std::string ask(const Callers& callers, std::string_view authorization, Instant at) const {
        const Identified found = callers.identify(with_key(authorization), at);
        EXPECT_EQ(found.principal->is_authenticated, found.outcome == Outcome::accepted);
        EXPECT_EQ(found.principal->fault.empty(), found.outcome == Outcome::accepted);
        EXPECT_EQ(found.principal->scopes, found.outcome == Outcome::accepted
                                               ? http::Scopes{Scope::orders_read}
                                               : http::Scopes{});
        return fmt::format("{} {}", name_of(found.outcome), found.principal->name);
    }

    const Instant now_ = trackops::testing::FakeClock().now();
    const NewKey shop_ = make_key();
    const NewKey stock_ = make_key();
    const Callers callers_{{.keys = {entry("shop", shop_), entry("stock", stock_)}}};
    const std::string bearer_ = "Bearer " + shop_.text.reveal();
};

TEST_F(CallersTest, AreKnownByTheirKeys) {
    EXPECT_EQ(ask(callers_, bearer_, now_), "accepted key:shop");
    EXPECT_EQ(ask(callers_, "Bearer " + stock_.text.reveal(), now_), "accepted key:stock");
    EXPECT_EQ(ask(callers_, "bEARER   " + shop_.text.reveal(), now_), "accepted key:shop");
    EXPECT_EQ(ask(Callers{AccessFile{}}, bearer_, now_), "unknown nobody");
}

TEST_F(CallersTest, WithoutCredentialsAreNobodyAndHaveNoFault) {
    const Identified found = callers_.identify(http::Request{}, now_);
    EXPECT_EQ(found.outcome, Outcome::absent);
    EXPECT_EQ(found.principal->name, "nobody");
    EXPECT_TRUE(found.principal->fault.empty());
    EXPECT_FALSE(found.principal->is_authenticated);
}

TEST_F(CallersTest, WithOtherCredentialsAreNobody) {
    const std::string key = shop_.text.reveal();
    for (const std::string& other :
         {std::string(), std::string("Bearer"), std::string("Bearer "), key, "Basic " + key,
          "Bearer" + key, "Bearer x" + key, bearer_ + " ", bearer_ + "," + bearer_,
          std::string("Bearer eyJhbGciOiJub25lIn0.e30.")})
        EXPECT_EQ(ask(callers_, other, now_), "malformed nobody") << other;
    EXPECT_EQ(ask(callers_, bearer_.substr(0, bearer_.size() - 1), now_), "mistyped nobody");
    EXPECT_EQ(ask(callers_, "Bearer " + make_key().text.reveal(), now_), "unknown nobody");
    http::Request twice = with_key(bearer_);
    twice.headers.emplace_back("authorization", bearer_);
    EXPECT_EQ(callers_.identify(twice, now_).outcome, Outcome::malformed);
}

TEST_F(CallersTest, AreKnownForTheTimeOfTheirKeyOnly) {
    EXPECT_EQ(ask(callers_, bearer_, now_ - day), "accepted key:shop");
    EXPECT_EQ(ask(callers_, bearer_, now_ - day - Duration(1)), "too_early nobody");
    EXPECT_EQ(ask(callers_, bearer_, now_ + day - Duration(1)), "accepted key:shop");
    EXPECT_EQ(ask(callers_, bearer_, now_ + day), "expired nobody");
}

TEST_F(CallersTest, MayHaveTwoKeysOfOneName) {
    const Callers both{{.keys = {entry("shop", shop_), entry("shop", stock_)}}};
    EXPECT_EQ(ask(both, bearer_, now_), "accepted key:shop");
    EXPECT_EQ(ask(both, "Bearer " + stock_.text.reveal(), now_), "accepted key:shop");
}

// The id of one key with the secret of another, and secrets of each kind: all cost the same work.
TEST_F(CallersTest, CostTheSameComparisonWhateverIsWrong) {
    Key wrong_first = entry("shop", shop_);
    wrong_first.digest.front() ^= 0x80U;
    Key wrong_last = entry("shop", shop_);
    wrong_last.digest.back() ^= 1U;
    const Callers strangers{AccessFile{}};
    const Callers first{{.keys = {wrong_first}}};
    const Callers last{{.keys = {wrong_last}}};
    for (const Callers* callers : {&callers_, &strangers, &first, &last}) {
        const std::size_t before = compared_bytes();
        const Identified found = callers->identify(with_key(bearer_), now_);
        EXPECT_EQ(compared_bytes() - before, sizeof(Digest));
        EXPECT_EQ(found.outcome, callers == &callers_ ? Outcome::accepted : Outcome::unknown);
        EXPECT_EQ(found.principal->fault, callers == &callers_ ? "" : "the key is not known");
    }
}

class AccessStoreTest : public CallersTest {
protected:
    AccessStoreTest()
        : folder_(::testing::TempDir() + "access_store." + std::to_string(::getpid())) {
        std::filesystem::create_directories(folder_);
        write({.keys = {entry("shop", shop_)}});
    }
    ~AccessStoreTest() override { std::filesystem::remove_all(folder_); }

    void write(const AccessFile& file) { replace_file(path(), text_of(file)); }
    // Over the old file, as an editor without manners does.
    void write_text(std::string_view text) { std::ofstream(path()) << text; }
    std::string path() const { return folder_ + "/access.json"; }
    std::string ask(AccessStore& store, const NewKey& key) const {
        return store.identify(with_key("Bearer " + key.text.reveal()))->name;
    }
    double metric(const std::string& name, const telemetry::Labels& labels = {}) {
        for (const auto& family : metrics_.families()) {
            for (const auto& series : family.series)
                if (family.name == name && series.labels == labels) return series.value;
        }
        return -1;
    }
    // Lets the store look once; returns its lines in the log.
    std::string look(AccessStore& store) {
        ::testing::internal::CaptureStderr();
        EXPECT_EQ(store.run(Duration::zero()).call_again_in, AccessStore::interval);
        return ::testing::internal::GetCapturedStderr();
    }

    trackops::testing::FakeClock clock_;
    telemetry::Registry metrics_;

private:
    const std::string folder_;
};

TEST_F(AccessStoreTest, TakesAChangedFile) {
    AccessStore store(path(), clock_, metrics_);
    EXPECT_EQ(ask(store, shop_), "key:shop");
    EXPECT_EQ(ask(store, stock_), "nobody");
    write({.keys = {entry("stock", stock_)}});
    look(store);
    EXPECT_EQ(ask(store, shop_), "nobody");
    EXPECT_EQ(ask(store, stock_), "key:stock");
    EXPECT_EQ(metric("trackops_access_refused_total", {{"reason", "unknown"}}), 2);
    EXPECT_EQ(metric("trackops_access_file_reads_total", {{"outcome", "accepted"}}), 2);
    EXPECT_EQ(metric("trackops_access_keys"), 1);
}

TEST_F(AccessStoreTest, TakesAWriteThatLeavesTheSameStamp) {
    AccessStore store(path(), clock_, metrics_);
    const auto before = std::filesystem::last_write_time(path());
    write_text(text_of({.keys = {entry("shoq", shop_)}}));  // as long as before
    std::filesystem::last_write_time(path(), before);
    look(store);
    EXPECT_EQ(ask(store, shop_), "key:shoq");
}

TEST_F(AccessStoreTest, IsFreeOnceTheFileIsOld) {
    AccessStore store(path(), clock_, metrics_);
    clock_.set(Instant{INT64_MAX / 2000});  // long after the last write
    look(store);
    look(store);
    EXPECT_EQ(ask(store, shop_), "nobody");  // its key has ended meanwhile
    EXPECT_EQ(metric("trackops_access_refused_total", {{"reason", "expired"}}), 1);
    EXPECT_EQ(metric("trackops_access_file_reads_total", {{"outcome", "accepted"}}), 1);
    write({.keys = {entry("shop", shop_), entry("stock", stock_)}});
    look(store);
    EXPECT_EQ(metric("trackops_access_keys"), 2);
}

TEST_F(AccessStoreTest, RefusesABadVersionOnceAndKeepsTheCallers) {
    AccessStore store(path(), clock_, metrics_);
    write_text(R"({"keys": [{"name": "shop"}]})");
    const std::string line = look(store);
    EXPECT_THAT(line, HasSubstr("the access file is refused"));
    EXPECT_THAT(line, HasSubstr("/keys/0/id is required; /keys/0/sha256 is required"));
    EXPECT_EQ(metric("trackops_access_file_in_force"), 0);
    for (int i = 0; i < 5; ++i) EXPECT_EQ(look(store), "");
    EXPECT_EQ(ask(store, shop_), "key:shop");
    write_text("{");
    EXPECT_THAT(look(store), HasSubstr("the access file is refused"));
    EXPECT_EQ(metric("trackops_access_file_reads_total", {{"outcome", "refused"}}), 2);
    write({.keys = {entry("stock", stock_)}});
    look(store);
    EXPECT_EQ(ask(store, stock_), "key:stock");
    EXPECT_EQ(metric("trackops_access_file_in_force"), 1);
}

TEST_F(AccessStoreTest, KeepsTheCallersWhileTheFileIsAway) {
    AccessStore store(path(), clock_, metrics_);
    std::filesystem::rename(path(), path() + ".away");
    EXPECT_THAT(look(store), HasSubstr("No such file or directory"));
    EXPECT_EQ(look(store), "");
    EXPECT_EQ(ask(store, shop_), "key:shop");
    EXPECT_EQ(metric("trackops_access_file_in_force"), 0);
    std::filesystem::rename(path() + ".away", path());
    look(store);
    EXPECT_EQ(metric("trackops_access_file_in_force"), 1);
    std::filesystem::rename(path(), path() + ".away");
    EXPECT_THAT(look(store), HasSubstr("No such file or directory"));
}

TEST_F(AccessStoreTest, DoesNotStartWithAFileThatIsNotValid) {
    write_text(R"({"keys": [{"name": "shop"}]})");
    try {
        const AccessStore store(path(), clock_, metrics_);
        ADD_FAILURE() << "it started";
    } catch (const std::runtime_error& error) {
        EXPECT_THAT(error.what(), HasSubstr(path() + " is not valid: /keys/0/id is required"));
    }
    EXPECT_THROW(AccessStore(path() + ".other", clock_, metrics_), std::runtime_error);
}

TEST_F(AccessStoreTest, AnswersWhileTheFileChanges) {
    AccessStore store(path(), clock_, metrics_);
    std::atomic<bool> is_over = false;
    std::thread writer([&] {
        for (int i = 0; i < 50; ++i) {
            write({.keys = {entry("shop", shop_), entry(fmt::format("n{}", i), stock_)}});
            store.run(Duration::zero());
        }
        is_over = true;
    });
    int wrong = 0;
    while (!is_over) wrong += ask(store, shop_) == "key:shop" ? 0 : 1;
    writer.join();
    EXPECT_EQ(wrong, 0);
    EXPECT_EQ(ask(store, stock_), "key:n49");
}

TEST_F(AccessStoreTest, WritesAFileThatOnlyItsOwnerReads) {
    struct stat status{};
    ASSERT_EQ(::stat(path().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777U, 0600U);
    ASSERT_EQ(::chmod(path().c_str(), 0644), 0);
    write({});
    ASSERT_EQ(::stat(path().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777U, 0600U);
    EXPECT_EQ(
        std::distance(
            std::filesystem::directory_iterator(std::filesystem::path(path()).parent_path()), {}),
        1);
    EXPECT_THROW(replace_file(path() + "/below/access.json", ""), std::runtime_error);
}

}  // namespace
}  // namespace trackops::access
