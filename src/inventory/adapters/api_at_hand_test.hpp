// For tests: the inventory API over a fresh database of the kind named, without a server.
#pragma once
#include <string>
#include <string_view>
#include <utility>

#include "inventory/adapters/http_api.hpp"
#include "inventory/adapters/inventory_stores_fixture.hpp"
#include "platform/http/calls_for_tests.hpp"

namespace trackops::inventory::adapters {

class ApiAtHand : public InventoryStoresFixture {
public:
    using InventoryStoresFixture::InventoryStoresFixture;

    http::Response call(std::string_view method, std::string_view target, std::string body = {},
                        http::Headers headers = {}) {
        return calls.call(method, target, std::move(body), std::move(headers));
    }

    WriteItemQueue write_queue{
        {},
        [this](std::span<const app::ItemWrite> writes) {
            return app::write_items(writes, *items, clock);
        },
        [] { return Result<app::WriteResult>(fail(Errc::unavailable, "lost")); }};
    http::Calls calls{inventory_routes({write_queue, *items, *reader, clock, ids}),
                      [this] { write_queue.run(Duration::zero()); }};
};

}  // namespace trackops::inventory::adapters
