// Keys of identity providers that come from a URL: roll-over, providers that are away, and askers.
#include "platform/access/key_set_urls.hpp"

#include <atomic>
#include <condition_variable>
#include <fstream>
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "platform/access/token_for_tests.hpp"
#include "platform/access/tokens.hpp"
#include "platform/telemetry/metrics.hpp"
#include "testing/databases.hpp"

namespace trackops::access {
namespace {

using namespace std::chrono_literals;
using http::Scope;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// An identity provider with a URL, and the tokens of a service that takes its keys.
class KeySetUrl : public TokenTest {
protected:
    KeySetUrl() {
        file_.providers = {{.name = "shop",
                            .issuer = "https://id.example",
                            .audience = "trackops",
                            .key_set_url = "https://id.example/keys",
                            .scopes = {Scope::orders_read}}};
        write_file();
        callers_ = std::make_unique<AccessStore>(folder_.path() + "/access.json", clock_, metrics_);
        tokens_ = std::make_unique<Tokens>(
            *callers_, clock_, metrics_, [this](const Provider& provider, Duration within) {
                EXPECT_EQ(provider.key_set_url, "https://id.example/keys");
                EXPECT_EQ(within, KeySetUrls::fetch_time_max);
                ++fetches_;
                return answer_();
            });
    }
    void write_file() const { std::ofstream(folder_.path() + "/access.json") << text_of(file_); }
    void offer(const std::vector<std::string>& keys) {
        answer_ = [text = key_set(keys)] { return Result<std::string>(text); };
    }
    void go_away() {
        answer_ = [] { return Result<std::string>(fail(Errc::unavailable, "no answer")); };
    }
    void run() { tokens_->fetcher().run({}); }
    std::string of_e(const std::map<std::string, std::string>& changes = {}) const {
        return ec().sign(R"({"alg":"ES256","kid":"e"})", claims(changes));
    }
    static std::string shown(const std::shared_ptr<const http::Principal>& principal) {
        if (!principal) return "asks";
        return principal->is_authenticated ? principal->name : std::string(principal->fault);
    }
    // The caller by what stands in memory; "asks" if the key set would be fetched for it.
    std::string by_memory(const std::string& token) { return shown(tokens_->identify(token)); }
    std::shared_ptr<http::Inquiry> ask(const std::string& token) {
        auto inquiry = std::make_shared<http::Inquiry>([] {});
        tokens_->inquire(token, inquiry);
        return inquiry;
    }
    std::string asked(const std::string& token) {
        const auto inquiry = ask(token);
        run();
        return shown(inquiry->answer());
    }
    double counted(const std::string& outcome) {
        return metrics_.counter("trackops_token_key_fetches_total", "", {{"outcome", outcome}})
            .value();
    }
    telemetry::ComponentHealth health() { return tokens_->health_component().ask(); }

    const trackops::testing::TemporaryFolder folder_;
    trackops::testing::FakeClock clock_;
    telemetry::Registry metrics_;
    AccessFile file_;
    std::atomic<int> fetches_ = 0;
    std::function<Result<std::string>()> answer_;
    std::unique_ptr<AccessStore> callers_;
    std::unique_ptr<Tokens> tokens_;
};

TEST_F(KeySetUrl, IsFetchedAtOnceAndAgain) {
    offer({rsa().jwk()});
    EXPECT_EQ(by_memory(good()), "asks") << "a request that comes first waits";
    run();
    EXPECT_EQ(by_memory(good()), "token:shop/u1");
    run();
    EXPECT_EQ(fetches_, 1);
    clock_.advance(KeySetUrls::refresh_interval);
    offer({ec().jwk()});
    run();
    EXPECT_EQ(fetches_, 2);
    EXPECT_EQ(by_memory(good()), "the token names no key of its issuer")
        << "a key that the provider has taken out is out";
}

TEST_F(KeySetUrl, IsFetchedForATokenWhoseKeyIsNew) {
    offer({rsa().jwk()});
    run();
    clock_.advance(KeySetUrls::ask_interval);
    offer({rsa().jwk(), ec().jwk()});
    EXPECT_EQ(by_memory(of_e()), "asks");
    EXPECT_EQ(asked(of_e()), "token:shop/u1");
    EXPECT_EQ(by_memory(of_e()), "token:shop/u1");
    EXPECT_EQ(by_memory(good()), "token:shop/u1");
    EXPECT_EQ(fetches_, 2);
}

// Everything else of a token counts after a roll-over as before it.
TEST_F(KeySetUrl, OfANewKeyForgivesNothing) {
    offer({rsa().jwk()});
    run();
    offer({rsa().jwk(), ec().jwk()});
    const auto after_roll_over = [&](const std::string& token) {
        clock_.advance(KeySetUrls::ask_interval);
        return asked(token);
    };
    EXPECT_EQ(after_roll_over(of_e({{"exp", at(-31)}})),
              "the token is no longer valid, or has no end");
    EXPECT_EQ(after_roll_over(of_e({{"aud", R"("another")"}})),
              "the token is for another audience");
    EXPECT_EQ(after_roll_over(of_e({{"nbf", at(10'000)}})), "the token is not valid yet");
    EXPECT_EQ(after_roll_over(Pair::ec("e").sign(R"({"alg":"ES256","kid":"e"})", claims())),
              "the signature of the token is wrong");
}

TEST_F(KeySetUrl, IsFetchedSeldomForStrangers) {
    offer({rsa().jwk()});
    run();
    for (int i = 0; i < 1000; ++i)
        EXPECT_EQ(by_memory(of_e()), "the token names no key of its issuer");
    const auto refused = ask(of_e());
    EXPECT_EQ(shown(refused->answer()), "the token names no key of its issuer");
    run();
    EXPECT_EQ(fetches_, 1);
    clock_.advance(KeySetUrls::ask_interval);
    EXPECT_EQ(asked(of_e()), "the token names no key of its issuer");
    EXPECT_EQ(asked(of_e()), "the token names no key of its issuer");
    EXPECT_EQ(fetches_, 2);
    EXPECT_EQ(by_memory(ec().sign(R"({"alg":"ES256","kid":"e"})",
                                  claims({{"iss", R"("https://other.example")"}}))),
              "the issuer of the token is not known");
}

TEST_F(KeySetUrl, KeepsItsKeysWhileTheProviderIsAway) {
    offer({rsa().jwk()});
    run();
    go_away();
    clock_.advance(KeySetUrls::refresh_interval);
    for (const auto wait : {0s, 1s, 2s, 4s}) {
        clock_.advance(wait);
        run();
        run();
    }
    EXPECT_EQ(fetches_, 5) << "with a backoff";
    EXPECT_EQ(counted("failed"), 4);
    const std::string late = good({{"exp", at(10'000)}});
    EXPECT_EQ(by_memory(late), "token:shop/u1");
    EXPECT_EQ(health().status, telemetry::Status::up);
    EXPECT_THAT(health().details, ElementsAre(::testing::Pair("shop", "1 keys"),
                                              ::testing::Pair("shop.fetchedAt", now_.text()),
                                              ::testing::Pair("shop.fault", "no answer")));
    answer_ = [] { return Result<std::string>("{}"); };
    clock_.advance(KeySetUrls::retry_backoff.longest);
    run();
    EXPECT_EQ(counted("refused"), 1);
    EXPECT_EQ(by_memory(late), "token:shop/u1");
    offer({rsa().jwk(), ec().jwk()});
    clock_.advance(KeySetUrls::retry_backoff.longest);
    run();
    EXPECT_EQ(health().details.front().second, "2 keys");
    EXPECT_EQ(health().details.size(), 2U);
    EXPECT_EQ(metrics_.gauge("trackops_token_keys_fetched_timestamp_seconds", "").value(),
              static_cast<double>(clock_.now().micros) / 1e6);
}

TEST_F(KeySetUrl, LetsNobodyInBeforeItIsFetched) {
    go_away();
    EXPECT_EQ(asked(good()), "the keys of the issuer are not known yet");
    EXPECT_EQ(by_memory(good()), "the keys of the issuer are not known yet");
    EXPECT_EQ(health().status, telemetry::Status::down);
    EXPECT_FALSE(tokens_->health_component().in_readiness);
}

TEST_F(KeySetUrl, IsFetchedOnceForAllWhoAskMeanwhile) {
    std::mutex mutex;
    std::condition_variable changed;
    bool has_begun = false;
    bool may_end = false;
    answer_ = [&]() -> Result<std::string> {
        std::unique_lock lock(mutex);
        has_begun = true;
        changed.notify_all();
        changed.wait(lock, [&] { return may_end; });
        return key_set({rsa().jwk()});
    };
    std::thread fetching([&] { run(); });
    {
        std::unique_lock lock(mutex);
        changed.wait(lock, [&] { return has_begun; });
    }
    std::vector<std::shared_ptr<http::Inquiry>> askers;
    for (std::size_t i = 0; i < KeySetUrls::waiting_max; ++i) {
        EXPECT_EQ(by_memory(good()), "asks");
        askers.push_back(ask(good()));
        EXPECT_EQ(askers.back()->answer(), nullptr);
    }
    EXPECT_EQ(by_memory(good()), "the keys of the issuer are not known yet") << "too many wait";
    {
        const std::lock_guard lock(mutex);
        may_end = true;
        changed.notify_all();
    }
    fetching.join();
    for (const auto& asker : askers) EXPECT_EQ(shown(asker->answer()), "token:shop/u1");
    EXPECT_EQ(fetches_, 1);
}

TEST_F(KeySetUrl, LeavesNobodyWaiting) {
    offer({rsa().jwk()});
    const auto at_the_end = ask(good());
    tokens_->close();
    EXPECT_EQ(shown(at_the_end->answer()), "the keys of the issuer are not known yet");
    const auto of_a_removed_provider = ask(good());
    file_.providers.clear();
    write_file();
    callers_->run({});
    tokens_->run({});
    run();
    EXPECT_EQ(shown(of_a_removed_provider->answer()), "the issuer of the token is not known");
    EXPECT_EQ(fetches_, 0);
}

TEST_F(KeySetUrl, IsCheckedInTheAccessFile) {
    const auto faults = [&](const std::string& file, const std::string& url,
                            const std::string& ca = {}) {
        file_.providers.front().key_set_file = file;
        file_.providers.front().key_set_url = url;
        file_.providers.front().key_set_ca_file = ca;
        const auto read = read_access_file(text_of(file_));
        if (read) {
            EXPECT_EQ(*read, file_);
        }
        return read ? "" : faults_of(read.error());
    };
    EXPECT_EQ(faults("", "https://id.example/keys", "/ca.pem"), "");
    EXPECT_EQ(faults("", "http://127.0.0.1:1/keys"), "");
    EXPECT_THAT(faults("", "http://id.example/keys"), HasSubstr("must be a URL with https"));
    EXPECT_THAT(faults("", "http://localhost.example/keys"), HasSubstr("must be a URL with https"));
    EXPECT_THAT(faults("", "https://u:p@id.example/keys"), HasSubstr("must be a URL with https"));
    EXPECT_THAT(faults("/keys.json", "https://id.example/keys"), HasSubstr("and not both"));
    EXPECT_THAT(faults("", ""), HasSubstr("and not both"));
    EXPECT_THAT(faults("/keys.json", "", "/ca.pem"), HasSubstr("has no meaning"));
}

}  // namespace
}  // namespace trackops::access
