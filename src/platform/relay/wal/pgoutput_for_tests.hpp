// Messages captured from PostgreSQL 15, and functions that build frames around them. Only tests
// include this.
#pragma once
#include <string>
#include <string_view>

#include "platform/relay/wal/pgoutput.hpp"

namespace trackops::relay::pgoutput::captured {

inline std::string from_hex(std::string_view hex) {
    std::string bytes;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
        bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
    }
    return bytes;
}

inline std::string framed(std::string_view message) {
    return "w" + std::string(24, '\0') + std::string(message);
}
inline std::string data_frame(std::string_view hex) { return framed(from_hex(hex)); }

inline std::string big_endian(std::uint64_t value, int size) {
    std::string bytes;
    while (--size >= 0) bytes += static_cast<char>((value >> (8 * size)) & 0xFF);
    return bytes;
}
inline std::string keepalive_frame(Lsn end, bool wants_reply) {
    return "k" + big_endian(end.bytes, 8) + std::string(8, '\0') + (wants_reply ? '\1' : '\0');
}

inline constexpr std::string_view begin = "420000000001950110000303e7ba351b9a000002d9";
inline constexpr std::string_view relation =
    "52000040057075626c6963006f7574626f785f6576656e74730064000c01706f736974696f6e0000000014ffffffff"
    "006576656e745f69640000000b86ffffffff006167677265676174655f69640000000b86ffffffff00747970650000"
    "000019ffffffff0073657175656e63650000000014ffffffff007061796c6f61640000000edaffffffff00636f7272"
    "656c6174696f6e5f69640000000019ffffffff00636175736174696f6e5f69640000000019ffffffff007472616365"
    "706172656e740000000019ffffffff00747261636573746174650000000019ffffffff006f636375727265645f6174"
    "00000004a0ffffffff0078696400000013cdffffffff";
inline constexpr std::string_view insert =
    "49000040054e000c740000000131740000002430313862636665352d363830302d373030302d383030302d30303030"
    "3030303030303031740000002430313862636665352d363830302d373030312d383030302d30303030303030303030"
    "3631740000000d4f524445525f4352454154454474000000013174000000137b226e223a20312c202273223a2022c3"
    "a9227d740000000163740000000074000000007400000000740000001d323032332d31312d31342032323a31333a32"
    "302e3132333435362b30307400000003373239";
inline constexpr std::string_view commit = "430000000000019501100000000001950140000303e7ba351b9a";
inline constexpr std::string_view type = "590000400200696e743400";
inline constexpr std::string_view other_relation =
    "520000400d7075626c6963006f7468657200640002016e0000004002ffffffff00740000000019ffffffff";
inline constexpr std::string_view other_insert = "490000400d4e00027400000001316e";
inline constexpr std::string_view update = "550000400d4e0002740000000132740000000179";
inline constexpr std::string_view remove = "440000400d4b00027400000001316e";
inline constexpr std::string_view logical_message =
    "4d0100000000019504007072650000000007636f6e74656e74";
inline constexpr std::string_view truncate = "5400000001000000400d";
inline constexpr std::string_view origin = "4f00000000019504006e6f646500";

}  // namespace trackops::relay::pgoutput::captured
