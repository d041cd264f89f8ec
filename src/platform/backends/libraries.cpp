#include "platform/backends/libraries.hpp"

#include <boost/version.hpp>
#include <fmt/format.h>
#include <hiredis/hiredis.h>
#include <libpq-fe.h>
#include <librdkafka/rdkafka.h>
#include <openssl/crypto.h>
#include <sqlite3.h>

namespace trackops::backends {

std::vector<std::pair<std::string, std::string>> libraries() {
    const int libpq = PQlibVersion();  // 150004 is 15.4
    return {
        {"boost", fmt::format("{}.{}.{}", BOOST_VERSION / 100'000, BOOST_VERSION / 100 % 1'000,
                              BOOST_VERSION % 100)},
        {"hiredis", fmt::format("{}.{}.{}", HIREDIS_MAJOR, HIREDIS_MINOR, HIREDIS_PATCH)},
        {"libpq", fmt::format("{}.{}", libpq / 10'000, libpq % 10'000)},
        {"librdkafka", rd_kafka_version_str()},
        {"openssl", OpenSSL_version(OPENSSL_VERSION_STRING)},
        {"sqlite", sqlite3_libversion()},
    };
}

}  // namespace trackops::backends
