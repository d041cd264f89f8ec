#include "platform/http/connection_slots.hpp"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace trackops::http {
namespace {

using enum ConnectionSlots::Verdict;

ClientAddress ipv4(std::uint8_t a, std::uint8_t d) {
    return {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, 0, 0, d};
}
ClientAddress ipv6(std::uint8_t network, std::uint8_t host) {
    return {0x20, 0x01, 0, 0, 0, 0, 0, network, 0, 0, 0, 0, 0, 0, 0, host};
}

TEST(PeerAddress, IsThatOfTheClient) {
    const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in here{.sin_family = AF_INET};
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof here;
    ASSERT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&here), size), 0);
    ASSERT_EQ(::listen(listener, 1), 0);
    ASSERT_EQ(::getsockname(listener, reinterpret_cast<sockaddr*>(&here), &size), 0);
    const int client = ::socket(AF_INET, SOCK_STREAM, 0);
    ASSERT_EQ(::connect(client, reinterpret_cast<sockaddr*>(&here), size), 0);
    EXPECT_EQ(peer_address(client), ipv4(127, 1));
    EXPECT_EQ(peer_address(listener), std::nullopt);
    ::close(client);
    ::close(listener);
}

TEST(ConnectionSlots, GivesAnAddressItsShare) {
    ConnectionSlots slots(10, 2);
    EXPECT_EQ(slots.take(ipv4(10, 1)), serve);
    EXPECT_EQ(slots.take(ipv4(10, 1)), serve);
    EXPECT_EQ(slots.take(ipv4(10, 1)), refuse_address);
    EXPECT_EQ(slots.take(ipv4(10, 2)), serve);
    slots.release(ipv4(10, 1));
    EXPECT_EQ(slots.take(ipv4(10, 1)), refuse_address);  // the refused one is open still
    slots.release(ipv4(10, 1));
    slots.release(ipv4(10, 1));
    EXPECT_EQ(slots.take(ipv4(10, 1)), serve);
    EXPECT_EQ(slots.open(), 3);
}

TEST(ConnectionSlots, AnswersOnlyAFewRefusedConnectionsOfAnAddress) {
    ConnectionSlots slots(1000, 2);
    std::size_t answered = 0;
    std::size_t dropped = 0;
    for (int i = 0; i < 500; ++i) {
        const auto verdict = slots.take(ipv4(10, 1));
        answered += verdict == refuse_address ? 1 : 0;
        dropped += verdict == drop ? 1 : 0;
    }
    EXPECT_EQ(answered, 8);
    EXPECT_EQ(dropped, 490);
    EXPECT_EQ(slots.open(), 10);
    EXPECT_EQ(slots.take(ipv4(10, 2)), serve);
}

TEST(ConnectionSlots, CountsANetworkOfIpv6AsOneClient) {
    ConnectionSlots slots(10, 2);
    EXPECT_EQ(slots.take(ipv6(1, 1)), serve);
    EXPECT_EQ(slots.take(ipv6(1, 2)), serve);
    EXPECT_EQ(slots.take(ipv6(1, 3)), refuse_address);
    EXPECT_EQ(slots.take(ipv6(2, 1)), serve);
}

TEST(ConnectionSlots, HasNoShareForLoopback) {
    ConnectionSlots slots(6, 1);
    const ClientAddress loopback6{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
    for (int i = 0; i < 2; ++i) {
        EXPECT_EQ(slots.take(ipv4(127, 1)), serve);
        EXPECT_EQ(slots.take(ipv4(127, 2)), serve);
        EXPECT_EQ(slots.take(loopback6), serve);
    }
    EXPECT_EQ(slots.take(loopback6), refuse_total);
    EXPECT_EQ(slots.take(ipv4(10, 1)), refuse_total);
}

TEST(ConnectionSlots, DropsTheRestOnceAllAreTakenAndManyAreRefused) {
    ConnectionSlots slots(2, 1);
    EXPECT_EQ(slots.take(ipv4(127, 1)), serve);
    EXPECT_EQ(slots.take(ipv4(127, 1)), serve);
    for (int i = 0; i < 64; ++i) EXPECT_EQ(slots.take(ipv4(127, 1)), refuse_total);
    EXPECT_EQ(slots.take(ipv4(127, 1)), drop);
    EXPECT_EQ(slots.take(ipv4(10, 1)), drop);
    EXPECT_EQ(slots.open(), 66);
}

}  // namespace
}  // namespace trackops::http
