// Floor F5: the rate at which PostgreSQL streams the rows of an outbox. Reads the inserts of
// pgoutput and discards them.
//   bench_floor_stream URL SLOT PUBLICATION EVENTS
// Ends after EVENTS inserts. The rate counts from the first one.
#include <cstdint>
#include <memory>
#include <poll.h>
#include <stdexcept>
#include <string>

#include <libpq-fe.h>

#include "measured.hpp"

namespace {

using floors::SteadyClock;

std::uint64_t big_endian(const char* bytes) {
    std::uint64_t value = 0;
    for (int i = 0; i < 8; ++i) value = value << 8 | static_cast<unsigned char>(bytes[i]);
    return value;
}

class Stream {
public:
    Stream(const std::string& url, const std::string& slot, const std::string& publication)
        : connection_(PQconnectdb((url + "?replication=database").c_str()), &PQfinish) {
        expect(PQstatus(connection_.get()) == CONNECTION_OK);
        const std::string start = "START_REPLICATION SLOT " + slot +
                                  " LOGICAL 0/0 (proto_version '1', publication_names '" +
                                  publication + "')";
        PGresult* started = PQexec(connection_.get(), start.c_str());
        expect(PQresultStatus(started) == PGRES_COPY_BOTH);
        PQclear(started);
    }

    // Reads the next frame. Returns the number of inserts in it: 0 or 1.
    int next() {
        char* frame = nullptr;
        int size = PQgetCopyData(connection_.get(), &frame, 1);
        while (size == 0) {
            pollfd readable{PQsocket(connection_.get()), POLLIN, 0};
            ::poll(&readable, 1, 100);
            expect(PQconsumeInput(connection_.get()) == 1);
            confirm();
            size = PQgetCopyData(connection_.get(), &frame, 1);
        }
        expect(size > 0);
        const std::unique_ptr<char, decltype(&PQfreemem)> freed(frame, &PQfreemem);
        if (frame[0] != 'w') return 0;
        received_ = std::max(received_, big_endian(frame + 9));
        return frame[25] == 'I' ? 1 : 0;
    }
    // Confirms the received position, at most every 200 ms.
    void confirm() {
        if (floors::ms_since(confirmed_at_) < 200) return;
        confirmed_at_ = SteadyClock::now();
        std::string update = "r";
        for (int field = 0; field < 3; ++field)
            for (int byte = 7; byte >= 0; --byte)
                update += static_cast<char>(received_ >> (8 * byte));
        // The client's time is left out, and no reply is requested.
        update.append(9, '\0');
        expect(PQputCopyData(connection_.get(), update.data(), static_cast<int>(update.size())) ==
               1);
        expect(PQflush(connection_.get()) >= 0);
    }

private:
    void expect(bool is_well) const {
        if (!is_well) throw std::runtime_error(PQerrorMessage(connection_.get()));
    }
    std::unique_ptr<PGconn, decltype(&PQfinish)> connection_;
    std::uint64_t received_ = 0;
    SteadyClock::time_point confirmed_at_ = SteadyClock::now();
};

}  // namespace

int main(int count, char** arguments) {
    if (count != 5) {
        fmt::print(stderr, "bench_floor_stream URL SLOT PUBLICATION EVENTS\n");
        return 2;
    }
    const long wanted = std::stol(arguments[4]);
    Stream stream(arguments[1], arguments[2], arguments[3]);
    long events = 0;
    while (events == 0) events += stream.next();
    const auto first = SteadyClock::now();
    while (events < wanted) {
        events += stream.next();
        stream.confirm();
    }
    fmt::print("{{\"rate\": {:.0f}, \"events\": {}}}\n",
               static_cast<double>(events) * 1e3 / floors::ms_since(first), events);
}
