#include "load/run.hpp"

#include <random>

#include "base/uuid.hpp"
#include "load/items.hpp"
#include "load/player.hpp"

namespace trackops::load {

namespace {

std::string new_run() {
    std::random_device chance;
    const auto bits = [&] { return (std::uint64_t{chance()} << 32) | chance(); };
    const auto now = std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
    return uuid_v7({now.time_since_epoch().count()}, bits(), bits()).text();
}

}  // namespace

Result<LoadReport> run_load(const LoadOptions& options, Input input,
                            const ProgressOptions& progress) {
    const auto client = TRY(make_http_client(
        {options.order_url, options.inventory_url, options.key, options.ca_file, options.session}));
    LineReader lines(input);
    if (options.items) return ItemLoader(*client, lines).play(progress);
    return Player(options, *client, lines, new_run()).play(progress);
}

}  // namespace trackops::load
