#include "platform/relay/wal/pgoutput.hpp"

#include <charconv>

#include <fmt/format.h>

namespace trackops::relay::pgoutput {
namespace {

constexpr std::int64_t micros_of_2000 = 946'684'800'000'000;  // PostgreSQL's epoch

std::unexpected<Error> malformed(std::string_view what) {
    return fail(Errc::malformed, fmt::format("the replication stream has a bad {}", what));
}

// Reads from the front. Missing bytes read as zero and mark the message as cut off.
class Reader {
public:
    explicit Reader(std::string_view bytes) : rest_(bytes) {}

    template <class Unsigned>
    Unsigned integer() {
        Unsigned value = 0;
        for (const char c : take(sizeof(Unsigned))) {
            value =
                static_cast<Unsigned>((std::uint64_t{value} << 8) | static_cast<unsigned char>(c));
        }
        return value;
    }
    char character() { return static_cast<char>(integer<std::uint8_t>()); }
    Lsn lsn() { return {integer<std::uint64_t>()}; }
    std::string_view take(std::size_t count) {
        if (count > rest_.size()) {
            is_cut_off_ = true;
            count = 0;
        }
        const std::string_view taken = rest_.substr(0, count);
        rest_.remove_prefix(count);
        return taken;
    }
    // Reads up to a NUL and skips the NUL.
    std::string_view text() {
        const std::size_t end = rest_.find('\0');
        const std::string_view taken = take(end == std::string_view::npos ? rest_.size() + 1 : end);
        if (!is_cut_off_) rest_.remove_prefix(1);
        return taken;
    }
    std::string_view rest() { return take(rest_.size()); }
    bool is_cut_off() const { return is_cut_off_; }
    bool is_all() const { return !is_cut_off_ && rest_.empty(); }

private:
    std::string_view rest_;
    bool is_cut_off_ = false;
};

Result<Message> read_begin(Reader in) {
    const Begin begin{in.lsn()};
    in.take(8 + 4);  // its time, the lower half of its number
    if (!in.is_all()) return malformed("Begin");
    return begin;
}

Result<Message> read_commit(Reader in) {
    in.take(1 + 8);  // flags, where the commit begins
    const Commit commit{in.lsn()};
    in.take(8);  // its time
    if (!in.is_all()) return malformed("Commit");
    return commit;
}

Result<Message> read_relation(Reader in) {
    Relation relation;
    relation.id = in.integer<std::uint32_t>();
    in.text();  // schema
    relation.name = in.text();
    in.take(1);  // replica identity
    const auto count = in.integer<std::uint16_t>();
    for (std::size_t i = 0; i < count && !in.is_cut_off(); ++i) {
        in.take(1);  // flags
        relation.columns.emplace_back(in.text());
        in.take(4 + 4);  // type and its modifier
    }
    if (!in.is_all()) return malformed("Relation");
    return relation;
}

Result<Message> read_insert(Reader in) {
    Insert insert;
    insert.relation = in.integer<std::uint32_t>();
    if (in.character() != 'N') return malformed("Insert");
    const auto count = in.integer<std::uint16_t>();
    for (std::size_t i = 0; i < count && !in.is_cut_off(); ++i) {
        switch (in.character()) {
            case 'n':
                insert.values.emplace_back();
                break;
            case 't': {
                const auto length = in.integer<std::uint32_t>();
                insert.values.emplace_back(in.take(length));
                break;
            }
            default:  // no new row has an unchanged value, and binary ones were not asked for
                return malformed("value of an Insert");
        }
    }
    if (!in.is_all()) return malformed("Insert");
    return insert;
}

}  // namespace

std::string Lsn::text() const { return fmt::format("{:X}/{:X}", bytes >> 32, bytes & 0xFFFFFFFF); }

std::optional<Lsn> Lsn::parse(std::string_view text) {
    const std::size_t slash = text.find('/');
    if (slash == std::string_view::npos) return std::nullopt;
    std::uint64_t value = 0;
    for (const std::string_view half : {text.substr(0, slash), text.substr(slash + 1)}) {
        std::uint32_t part = 0;
        const char* end = half.data() + half.size();
        const auto [stop, fault] = std::from_chars(half.data(), end, part, 16);
        if (fault != std::errc{} || stop != end) return std::nullopt;
        value = (value << 32) | part;
    }
    return Lsn{value};
}

Result<Frame> read_frame(std::string_view bytes) {
    Reader in(bytes);
    switch (in.character()) {
        case 'w': {
            in.take(8 + 8 + 8);  // where it begins and ends, when it was sent
            const Data data{in.rest()};
            if (in.is_cut_off()) return malformed("XLogData");
            return data;
        }
        case 'k': {
            Keepalive keepalive{in.lsn()};
            in.take(8);  // when it was sent
            keepalive.wants_reply = in.character() != 0;
            if (!in.is_all()) return malformed("keepalive");
            return keepalive;
        }
        default:
            return malformed("frame");
    }
}

std::string status_update(Lsn flushed, Instant now) {
    std::string bytes = "r";
    const auto append = [&bytes](std::uint64_t value) {
        for (int shift = 56; shift >= 0; shift -= 8) {
            bytes += static_cast<char>((value >> shift) & 0xFF);
        }
    };
    // The fields are written, flushed, applied. A server whose reader has written everything sends
    // no keepalive after it has caught up, and this reader needs that keepalive.
    for (int i = 0; i < 3; ++i) append(flushed.bytes);
    append(static_cast<std::uint64_t>(now.micros - micros_of_2000));
    bytes += '\0';
    return bytes;
}

Result<Message> read_message(std::string_view bytes) {
    Reader in(bytes);
    switch (const char kind = in.character(); kind) {
        case 'B':
            return read_begin(in);
        case 'C':
            return read_commit(in);
        case 'R':
            return read_relation(in);
        case 'I':
            return read_insert(in);
        case 'Y':
        case 'O':
        case 'M':
        case 'T':
        case 'U':
        case 'D':
            return Other{kind};
        default:
            return malformed("message");
    }
}

}  // namespace trackops::relay::pgoutput
