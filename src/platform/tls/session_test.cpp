#include "platform/tls/session.hpp"

#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include "testing/certificates.hpp"

namespace trackops::tls {
namespace {

using ::testing::HasSubstr;
using State = Session::State;
using trackops::testing::Authority;
using trackops::testing::Issued;

Credentials credentials(const Issued& issued) { return {issued.certificate, Secret(issued.key)}; }

const Authority& authority() {
    static const Authority one("the authority");
    return one;
}

std::shared_ptr<const Context> server(const Issued& issued, const std::string& client_ca = "") {
    return make_server_context(credentials(issued), client_ca).value();
}
std::shared_ptr<const Context> client(const std::string& ca = authority().certificate()) {
    return make_client_context(ca).value();
}

// Both ends of a connection.
struct Pair {
    Pair(std::shared_ptr<const Context> of_server, std::shared_ptr<const Context> of_client,
         const std::string& host)
        : server_side(std::move(of_server)), client_side(std::move(of_client), host) {}

    // Carries bytes until neither side has any. `piece` is the most that one call carries.
    void carry(std::size_t piece = SIZE_MAX) {
        for (;;) {
            std::string up;
            std::string down;
            client_side.take_output(up);
            deliver(server_side, up, at_server, piece);
            server_side.take_output(down);
            deliver(client_side, down, at_client, piece);
            if (up.empty() && down.empty()) return;
        }
    }
    static void deliver(Session& to, std::string_view bytes, std::string& text, std::size_t piece) {
        while (!bytes.empty()) {
            to.receive(bytes.substr(0, piece), text);
            bytes.remove_prefix(std::min(piece, bytes.size()));
        }
    }

    Session server_side;
    Session client_side;
    std::string at_server;
    std::string at_client;
};

TEST(TlsSession, CarriesTextBothWaysInPiecesOfAnySize) {
    for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, SIZE_MAX}) {
        Pair pair(server(authority().issue("shop.example")), client(), "shop.example");
        EXPECT_EQ(pair.client_side.state(), State::handshake);
        pair.carry(piece);
        ASSERT_TRUE(pair.client_side.is_open()) << pair.client_side.fault();
        ASSERT_TRUE(pair.server_side.is_open()) << pair.server_side.fault();
        const std::string large(200'000, 'x');
        pair.client_side.send("question");
        pair.server_side.send(large);
        pair.carry(piece);
        EXPECT_EQ(pair.at_server, "question");
        EXPECT_EQ(pair.at_client, large);
        pair.server_side.end();
        pair.carry(piece);
        EXPECT_EQ(pair.client_side.state(), State::ended);
        pair.client_side.send("last");
        pair.carry(piece);
        EXPECT_EQ(pair.at_server, "questionlast");
    }
}

TEST(TlsSession, AnAddressIsAHostToo) {
    for (const std::string host : {"127.0.0.1", "::1"}) {
        Pair pair(server(authority().issue(host)), client(), host);
        pair.carry();
        EXPECT_TRUE(pair.client_side.is_open()) << pair.client_side.fault();
    }
}

TEST(TlsSession, AClientRefusesAServerThatCannotProveItsName) {
    using std::chrono::hours;
    const Authority other("another authority");
    struct Case {
        const char* what;
        Issued shown;
        std::string host;
        const char* fault;
    };
    const Case cases[] = {
        {"wrong name", authority().issue("shop.example"), "other.example", "ostname mismatch"},
        {"wrong address", authority().issue("127.0.0.1"), "127.0.0.2", "IP address mismatch"},
        {"wrong CA", other.issue("shop.example"), "shop.example", "unable to get local issuer"},
        {"expired", authority().issue("shop.example", -hours(1)), "shop.example", "expired"},
    };
    for (const Case& one : cases) {
        Pair pair(server(one.shown), client(), one.host);
        pair.carry();
        EXPECT_EQ(pair.client_side.state(), State::failed) << one.what;
        EXPECT_THAT(pair.client_side.fault(), HasSubstr(one.fault)) << one.what;
        EXPECT_EQ(pair.server_side.state(), State::failed) << one.what;
        EXPECT_EQ(pair.at_client + pair.at_server, "");
    }
}

TEST(TlsSession, WithAClientCaOnlyItsClientsAreServed) {
    const auto served = server(authority().issue("shop.example"), authority().certificate());
    const Authority other("another authority");
    const auto with = [](const Issued& own) {
        return make_client_context(authority().certificate(), credentials(own)).value();
    };
    Pair welcome(served, with(authority().issue("a client")), "shop.example");
    welcome.carry();
    EXPECT_TRUE(welcome.server_side.is_open()) << welcome.server_side.fault();
    const std::pair<std::shared_ptr<const Context>, const char*> refused[] = {
        {client(), "did not return a certificate"},
        {with(other.issue("a client")), "unable to get local issuer"},
        {with(authority().issue("a client", -std::chrono::hours(1))), "expired"}};
    for (const auto& [context, fault] : refused) {
        Pair pair(served, context, "shop.example");
        pair.carry();
        EXPECT_EQ(pair.server_side.state(), State::failed);
        EXPECT_THAT(pair.server_side.fault(), HasSubstr(fault));
        EXPECT_EQ(pair.client_side.state(), State::failed) << "it is told";
    }
}

// A client that offers what `change` sets.
State state_with_client(const std::function<void(SSL_CTX*)>& change, std::string& fault) {
    const auto context = make_unverified_client_context();
    change(context->get());
    Pair pair(server(authority().issue("shop.example")), context, "shop.example");
    pair.carry();
    fault = pair.server_side.fault();
    return pair.server_side.state();
}

TEST(TlsSession, OnlyModernVersionsAndCipherSuitesAreSpoken) {
    std::string fault;
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        const auto only = [version](SSL_CTX* context) {
            SSL_CTX_set_min_proto_version(context, version);
            SSL_CTX_set_max_proto_version(context, version);
        };
        EXPECT_EQ(state_with_client(only, fault), State::open) << fault;
    }
    const auto tls11 = [](SSL_CTX* context) {
        SSL_CTX_set_security_level(context, 0);
        SSL_CTX_set_min_proto_version(context, TLS1_VERSION);
        SSL_CTX_set_max_proto_version(context, TLS1_1_VERSION);
        SSL_CTX_set_cipher_list(context, "ALL:@SECLEVEL=0");
    };
    EXPECT_EQ(state_with_client(tls11, fault), State::failed);
    EXPECT_THAT(fault, HasSubstr("unsupported protocol"));
    for (const char* const old : {"AES128-SHA", "ECDHE-ECDSA-AES128-SHA", "AES256-GCM-SHA384"}) {
        const auto only_old = [old](SSL_CTX* context) {
            SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);
            SSL_CTX_set_cipher_list(context, old);
        };
        EXPECT_EQ(state_with_client(only_old, fault), State::failed) << old;
        EXPECT_THAT(fault, HasSubstr("no shared cipher")) << old;
    }
    const auto http2 = [](SSL_CTX* context) {
        SSL_CTX_set_alpn_protos(context, reinterpret_cast<const unsigned char*>("\x02h2"), 3);
    };
    EXPECT_EQ(state_with_client(http2, fault), State::failed) << "a client that speaks HTTP/2 only";
}

TEST(TlsSession, BytesThatAreNoTlsFail) {
    for (const std::string_view bytes :
         {"GET / HTTP/1.1\r\n\r\n", "\x16\x03\x01\xff\xff\xff\xff"}) {
        Session session(server(authority().issue("shop.example")));
        std::string text;
        session.receive(std::string(bytes) + std::string(20'000, 'x'), text);
        EXPECT_EQ(session.state(), State::failed);
        EXPECT_EQ(text, "");
    }
}

TEST(TlsContext, RefusesWhatDoesNotFitTogether) {
    const Issued one = authority().issue("shop.example");
    const Issued two = authority().issue("shop.example");
    const auto reason = [](const Credentials& own, const std::string& client_ca = "") {
        const auto made = make_server_context(own, client_ca);
        return made ? std::string() : made.error().detail;
    };
    EXPECT_EQ(reason(credentials(one)), "");
    EXPECT_THAT(reason({one.certificate, Secret(two.key)}), HasSubstr("does not belong"));
    EXPECT_THAT(reason({"nonsense", Secret(one.key)}), HasSubstr("no certificate in PEM"));
    EXPECT_THAT(reason({one.certificate, Secret("nonsense")}), HasSubstr("no private key in PEM"));
    EXPECT_THAT(reason({one.certificate + "-----BEGIN CERTIFICATE-----\nAAAA\n", Secret(one.key)}),
                HasSubstr("cannot be read"));
    EXPECT_THAT(reason(credentials(one), "nonsense"), HasSubstr("the CA: there is no certificate"));
    EXPECT_FALSE(make_client_context("nonsense"));
}

}  // namespace
}  // namespace trackops::tls
