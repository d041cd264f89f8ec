// Logging in, and being known by the session afterwards.
#include "platform/access/login.hpp"

#include <filesystem>
#include <fstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "platform/access/access_store.hpp"
#include "platform/access/caller_finder.hpp"
#include "platform/access/memory_session_store.hpp"
#include "platform/access/password.hpp"
#include "platform/access/sessions.hpp"
#include "platform/telemetry/metrics.hpp"
#include "testing/databases.hpp"
#include "testing/fakes.hpp"

namespace trackops::access {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

// A store that a test can take away.
class FailingStore final : public SessionStore {
public:
    explicit FailingStore(SessionStore& inner) : inner_(inner) {}
    bool is_away = false;
    std::size_t finds = 0;
    std::function<void()> on_found = [] {};

    Result<void> add(const SessionKey& key, const Session& session) override {
        if (is_away) return away();
        return inner_.add(key, session);
    }
    Result<std::vector<std::optional<Session>>> find(std::span<const SessionKey> keys) override {
        ++finds;
        if (is_away) return away();
        auto found = inner_.find(keys);
        on_found();
        return found;
    }
    Result<std::vector<KeptSession>> of_operators(std::span<const std::string> names) override {
        if (is_away) return away();
        return inner_.of_operators(names);
    }
    Result<void> remove(std::string_view name, std::span<const SessionKey> keys) override {
        if (is_away) return away();
        return inner_.remove(name, keys);
    }
    Result<Attempts> count_attempt(std::string_view subject, Duration window) override {
        if (is_away) return away();
        return inner_.count_attempt(subject, window);
    }
    Result<void> forget_attempts(std::string_view subject) override {
        if (is_away) return away();
        return inner_.forget_attempts(subject);
    }

private:
    static std::unexpected<Error> away() { return fail(Errc::unavailable, "away"); }
    SessionStore& inner_;
};

constexpr std::string_view password = "correct horse battery";

class LoginTest : public ::testing::Test {
protected:
    LoginTest() {
        file_.operators = {{.name = "ann", .password_hash = hash_, .role = Role::clerk},
                           {.name = "bob", .password_hash = hash_, .role = Role::admin}};
        write();
        store_ = std::make_unique<AccessStore>(path_, clock_, metrics_);
        logins_ = std::make_unique<Logins>(*store_, sessions_, failing_, &budget_, metrics_);
        tokens_ = std::make_unique<Tokens>(*store_, clock_, metrics_);
        finder_ = std::make_unique<CallerFinder>(*store_, sessions_, *tokens_);
    }
    void write() const { std::ofstream(path_) << text_of(file_); }
    void change_file() {
        write();
        store_->run({});
    }
    LoginOutcome log_in(const std::string& name, std::string_view given = password,
                        const std::string& from = "192.0.2.1") {
        std::optional<LoginOutcome> outcome;
        EXPECT_TRUE(logins_->submit({name, Secret(std::string(given)), from},
                                    [&](LoginOutcome made) { outcome = std::move(made); }));
        logins_->run({});
        return *std::move(outcome);
    }
    std::string word_of(const LoginOutcome& outcome) const {
        return outcome ? "accepted" : std::to_string(static_cast<int>(outcome.error().error.code));
    }
    std::string id_of(const std::string& name) { return log_in(name).value().id.reveal(); }
    static http::Request with_cookie(const std::string& id) {
        http::Request request;
        request.headers = {{"cookie", "trackops=" + id}};
        return request;
    }
    // The name of the caller, or the fault of its session.
    std::string caller(const std::string& id) {
        const http::Request request = with_cookie(id);
        auto principal = finder_->identify(request);
        if (!principal) {
            const auto inquiry = std::make_shared<http::Inquiry>([] {});
            finder_->inquire(request, inquiry);
            sessions_.run({});
            principal = inquiry->answer();
        }
        EXPECT_EQ(principal->is_authenticated, principal->fault.empty());
        return principal->is_authenticated ? principal->name : std::string(principal->fault);
    }
    void end(const std::string& name, const std::string& id) {
        const SessionKey keys[] = {key_of_session(id)};
        ASSERT_TRUE(sessions_.end(name, keys).has_value());
    }

    static const std::string hash_;
    const trackops::testing::TemporaryFolder folder_;
    const std::string path_ = folder_.path() + "/access.json";
    AccessFile file_;
    trackops::testing::FakeClock clock_;
    telemetry::Registry metrics_;
    runtime::Budget budget_{std::size_t{64} << 20, metrics_};
    const SessionTimes times_;
    MemorySessionStore memory_{times_, clock_};
    FailingStore failing_{memory_};
    Sessions sessions_{failing_, times_, clock_};
    std::unique_ptr<AccessStore> store_;
    std::unique_ptr<Tokens> tokens_;
    std::unique_ptr<Logins> logins_;
    std::unique_ptr<CallerFinder> finder_;
};
const std::string LoginTest::hash_ = hash_password(Secret(std::string(password)));

const std::string unauthorized = std::to_string(static_cast<int>(Errc::unauthorized));
const std::string limited = std::to_string(static_cast<int>(Errc::rate_limited));
const std::string unavailable = std::to_string(static_cast<int>(Errc::unavailable));
const std::string overloaded = std::to_string(static_cast<int>(Errc::overloaded));
constexpr const char* ended = "the session has ended; log in again";

TEST_F(LoginTest, MakesASessionThatNamesItsOperator) {
    const auto outcome = log_in("ann");
    ASSERT_TRUE(outcome.has_value());
    EXPECT_EQ(outcome->who.role, Role::clerk);
    EXPECT_EQ(caller(outcome->id.reveal()), "operator:ann");
    const auto principal = finder_->identify(with_cookie(outcome->id.reveal()));
    ASSERT_TRUE(principal);
    EXPECT_EQ(principal->scopes, scopes_of(Role::clerk));
    EXPECT_EQ(principal->session, handle_of(key_of_session(outcome->id.reveal())));
}

TEST_F(LoginTest, GivesANewIdEachTime) { EXPECT_NE(id_of("ann"), id_of("ann")); }

TEST_F(LoginTest, DoesTheSameWorkForAnUnknownNameAndAWrongPassword) {
    const auto work_of = [&](const std::string& name) {
        const std::size_t before = checked_passwords();
        EXPECT_EQ(word_of(log_in(name, "wrong password")), unauthorized);
        return checked_passwords() - before;
    };
    EXPECT_EQ(work_of("ann"), 1u);
    EXPECT_EQ(work_of("nobody"), 1u);
    EXPECT_EQ(work_of("x\ny\"}"), 1u);
    EXPECT_EQ(log_in("ann", "wrong password").error().error.detail,
              log_in("nobody", "wrong password").error().error.detail);
}

TEST_F(LoginTest, StopsAGuesserAndNotTheOwnerElsewhere) {
    for (int i = 0; i < 5; ++i) EXPECT_EQ(word_of(log_in("ann", "wrong")), unauthorized);
    const std::size_t before = checked_passwords();
    const auto refused = log_in("ann");
    EXPECT_EQ(word_of(refused), limited);
    EXPECT_EQ(refused.error().retry_after, 5min);
    EXPECT_EQ(checked_passwords(), before) << "the password was looked at";
    EXPECT_EQ(word_of(log_in("bob")), "accepted");
    EXPECT_EQ(word_of(log_in("ann", password, "192.0.2.2")), "accepted");
    clock_.advance(5min);
    EXPECT_EQ(word_of(log_in("ann")), "accepted");
}

TEST_F(LoginTest, StopsManyHostsThatGuessOnePassword) {
    std::string last;
    for (int i = 0; i <= 100; ++i)
        last = word_of(log_in("ann", "wrong", fmt::format("192.0.2.{}", i)));
    EXPECT_EQ(last, limited);
    EXPECT_EQ(word_of(log_in("bob")), "accepted");
}

TEST_F(LoginTest, StopsAHostThatTriesManyNames) {
    std::string last;
    for (int i = 0; i <= 200; ++i) last = word_of(log_in(fmt::format("name{}", i), "wrong"));
    EXPECT_EQ(last, limited);
    EXPECT_EQ(word_of(log_in("bob", password, "192.0.2.2")), "accepted");
}

TEST_F(LoginTest, ForgetsTheAttemptsBeforeASuccess) {
    for (int i = 0; i < 12; ++i)
        EXPECT_EQ(word_of(log_in("ann", i % 4 == 3 ? password : "wrong")),
                  i % 4 == 3 ? "accepted" : unauthorized);
}

TEST_F(LoginTest, NeedsMemoryForThePassword) {
    const std::size_t most = budget_.bytes_max() - password_memory_bytes / 2;
    budget_.take_anyway(runtime::Spending::bodies, most);
    EXPECT_EQ(word_of(log_in("ann")), overloaded);
    budget_.put_back(runtime::Spending::bodies, most);
    EXPECT_EQ(word_of(log_in("ann")), "accepted");
    EXPECT_EQ(budget_.used(), 0u);
}

TEST_F(LoginTest, RefusesMoreThanMayWait) {
    std::vector<LoginOutcome> outcomes;
    const auto submit = [&] {
        return logins_->submit({"ann", Secret("wrong"), "192.0.2.1"},
                               [&](LoginOutcome made) { outcomes.push_back(std::move(made)); });
    };
    for (std::size_t i = 0; i < Logins::waiting_max; ++i) EXPECT_TRUE(submit()) << i;
    EXPECT_FALSE(submit());
    logins_->close();
    EXPECT_EQ(outcomes.size(), Logins::waiting_max);
}

TEST_F(LoginTest, SaysThatTheStoreIsAwayWithoutALookAtThePassword) {
    failing_.is_away = true;
    const std::size_t before = checked_passwords();
    EXPECT_EQ(word_of(log_in("ann")), unavailable);
    EXPECT_EQ(checked_passwords(), before);
}

TEST_F(LoginTest, EndsASessionAtOnceWhenItIsToldTo) {
    const std::string id = id_of("ann");
    const std::string other = id_of("ann");
    EXPECT_EQ(caller(id), "operator:ann");
    end("ann", id);
    EXPECT_EQ(caller(id), ended);
    EXPECT_EQ(caller(other), "operator:ann");
    EXPECT_EQ(caller(std::string(64, '0')), ended);
}

TEST_F(LoginTest, EndsASessionWithItsOperatorsEntry) {
    const std::string id = id_of("ann");
    const std::string bob = id_of("bob");
    EXPECT_EQ(caller(id), "operator:ann");
    file_.operators[0].role = Role::viewer;
    change_file();
    EXPECT_EQ(caller(id), ended);
    EXPECT_EQ(caller(bob), "operator:bob");
    file_.operators.clear();
    change_file();
    EXPECT_EQ(caller(bob), ended);
}

TEST_F(LoginTest, RemembersASessionForASecond) {
    const std::string id = id_of("ann");
    EXPECT_EQ(caller(id), "operator:ann");
    EXPECT_EQ(caller(id), "operator:ann");
    EXPECT_EQ(failing_.finds, 1u);
    failing_.is_away = true;
    EXPECT_EQ(caller(id), "operator:ann");
    clock_.advance(Sessions::memory_time);
    EXPECT_EQ(caller(id), "the sessions cannot be asked for now");
    failing_.is_away = false;
    EXPECT_EQ(caller(id), "operator:ann");
}

TEST_F(LoginTest, DoesNotRememberWhatEndedWhileItWasAskedFor) {
    const std::string id = id_of("ann");
    const auto inquiry = std::make_shared<http::Inquiry>([] {});
    // The session ends between the answer of the store and its arrival here.
    failing_.on_found = [&] { end("ann", id); };
    finder_->inquire(with_cookie(id), inquiry);
    sessions_.run({});
    EXPECT_EQ(inquiry->answer()->name, "operator:ann");
    failing_.on_found = [] {};
    EXPECT_EQ(sessions_.remembered(key_of_session(id)), std::nullopt);
    EXPECT_EQ(caller(id), ended);
}

TEST_F(LoginTest, RefusesLookupsBeyondTheQueueAndAfterTheEnd) {
    const std::string id = id_of("ann");
    std::vector<std::shared_ptr<http::Inquiry>> inquiries;
    for (std::size_t i = 0; i <= Sessions::lookups_max; ++i) {
        inquiries.push_back(std::make_shared<http::Inquiry>([] {}));
        finder_->inquire(with_cookie(id), inquiries.back());
    }
    ASSERT_TRUE(inquiries.back()->answer());
    EXPECT_EQ(inquiries.back()->answer()->fault_code, Errc::unavailable);
    EXPECT_EQ(inquiries.front()->answer(), nullptr);
    sessions_.close();
    ASSERT_TRUE(inquiries.front()->answer());
    EXPECT_EQ(inquiries.front()->answer()->fault_code, Errc::unavailable);
}

TEST_F(LoginTest, ReadsNoCookieBesideAuthorization) {
    http::Request request = with_cookie(id_of("ann"));
    request.headers.emplace_back("authorization", "Bearer trk_wrong");
    const auto principal = finder_->identify(request);
    ASSERT_TRUE(principal);
    EXPECT_FALSE(principal->is_authenticated);
    request.headers = {};
    EXPECT_EQ(finder_->identify(request)->fault, "");
    request.headers = {{"cookie", "trackops=a"}};
    EXPECT_EQ(finder_->identify(request)->fault, "the cookie of the session is not one id");
}

}  // namespace
}  // namespace trackops::access
