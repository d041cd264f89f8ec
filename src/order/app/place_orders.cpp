#include "order/app/place_orders.hpp"

namespace trackops::order::app {
namespace {

std::size_t bytes_in(const std::optional<std::string>& text) { return text ? text->size() : 0; }

}  // namespace

std::size_t bytes_of(const PlaceOrder& command) {
    const domain::OrderTerms& terms = command.terms;
    std::size_t bytes = sizeof command + bytes_in(terms.metadata) +
                        bytes_in(terms.delivery_instructions) + bytes_in(terms.external_ref);
    for (const domain::Line& line : terms.items)
        bytes += sizeof line + line.sku.size() + bytes_in(line.name);
    return bytes;
}

std::vector<Result<SaveResult>> place_orders(std::span<const PlaceOrder> commands,
                                             OrderStore& store, const Clock& clock, Ids& ids,
                                             const domain::SagaTimeouts& timeouts) {
    std::vector<Result<SaveResult>> answers;
    answers.reserve(commands.size());
    std::vector<NewOrder> orders;
    orders.reserve(commands.size());
    std::vector<std::size_t> places;  // the index in `answers` of each element of `orders`
    for (const PlaceOrder& command : commands) {
        // The clock is read after the id is drawn, so that created_at is not before the time in the
        // id.
        const domain::OrderId id(ids.next());
        auto record = domain::place(command.terms, id, domain::SagaId(ids.next()),
                                    {clock.now(), command.actor, command.trace, timeouts});
        if (record) {
            places.push_back(answers.size());
            orders.push_back({*std::move(record), command.key, command.act});
            answers.emplace_back(fail(Errc::internal, "not answered"));
        } else {
            answers.emplace_back(std::unexpected(std::move(record).error()));
        }
    }
    auto saved = store.add(orders);
    for (std::size_t i = 0; i < places.size(); ++i) answers[places[i]] = std::move(saved[i]);
    return answers;
}

}  // namespace trackops::order::app
