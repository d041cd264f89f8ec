// Fuzzes the reader of the access file and of the header Authorization: a file that is taken reads
// back as it is written, and no header but that with the key names a caller.
#include <string>

#include "fuzz/refusal.hpp"
#include "platform/access/callers.hpp"
#include "platform/access/key_text.hpp"

namespace trackops::fuzz {
namespace {

constexpr std::string_view key = "trk_7Rk2mPq9_AbCdEfGhIjKlMnOpQrStUvWxYz0123456789aBcDeFg38pwTY";
constexpr Instant now{1'700'000'000'000'000};

const access::Callers& callers() {
    static const access::Callers callers{
        {.keys = {{.name = "shop",
                   .id = "7Rk2mPq9",
                   .digest = access::digest_of(access::parse_key_text(key).value()),
                   .not_after = now + Duration(1)}}}};
    return callers;
}

void try_as_header(const std::string& text) {
    http::Request request;
    request.headers = {{"authorization", text}};
    const std::size_t before = access::compared_bytes();
    const access::Identified found = callers().identify(request, now);
    const std::size_t compared = access::compared_bytes() - before;
    promise(found.principal != nullptr, "there is a principal");
    const bool is_accepted = found.outcome == access::Outcome::accepted;
    promise(is_accepted == found.principal->is_authenticated, "who is accepted is authenticated");
    promise(!is_accepted || text.ends_with(key), "only the key is accepted");
    promise(compared == 0 || compared == sizeof(access::Digest), "all bytes are compared, or none");
}

void try_as_file(const std::string& text) {
    const auto file = access::read_access_file(text);
    if (!is_taken(file)) return;
    const auto again = access::read_access_file(access::text_of(*file));
    promise(again.has_value(), "what was taken is taken again");
    promise(*again == *file, "what is written has the same meaning");
}

}  // namespace
}  // namespace trackops::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace trackops;
    const std::string text(fuzz::text_of(data, size));
    fuzz::try_as_header(text);
    fuzz::try_as_file(text);
    return 0;
}
