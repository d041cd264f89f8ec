// Mutants: bugs that are planted in the simulator's ports, never in the product.
#pragma once
#include <cstdint>
#include <span>
#include <string_view>

namespace trackops::sim {

// The wrong behaviour of a port while a mutant of this kind is active.
enum class MutantKind : std::uint8_t {
    sql_text,             // one statement of one service has another text
    commit_guessed,       // a lost commit is reported as successful
    confirms_unsent,      // the relay's source confirms events when it reads them
    offsets_at_poll,      // offsets are committed at the poll
    goes_on_after_loss,   // after a rebalance reading continues where the last member had read to
    acks_unsent,          // a publisher acknowledges messages that the broker did not take
    sends_later,          // the same, and the publisher sends the message in the background
    sends_refused_later,  // the second refused message of a key is sent in the background
    acks_refused,         // a publisher acknowledges messages that the broker refused
    // The cache:
    cache_keeps,             // entries outlive their time to live
    cache_replaces_nothing,  // a stored entry is never replaced
    cache_takes_older,       // an older version replaces a newer one
    cache_ages_from_put,     // the time to live of an entry counts from put()
    cache_skips,             // entries that the pump `query` writes are not stored
    // The way to a handler and back:
    if_match_dropped,  // the client's If-Match header is dropped
    key_of_pattern,    // a request's path is replaced by its route pattern
    first_body,        // a request with a repeated key gets the body of the first one
    correlation_lost,  // the client's correlation id is replaced
    etag_of_last,      // an answer carries the ETag of the previous one
    replay_unmarked,   // a replayed answer is not marked as replayed
    // The outbox whose transactions become visible out of order:
    gaps_unseen,            // open transactions below the newest one count as seen
    orders_by_transaction,  // events are published by transaction number
};

struct Mutant {
    std::string_view name;
    std::string_view bug;  // one sentence
    MutantKind kind;
    // For sql_text: the service of the statement, order or inventory.
    std::string_view service = {};
    // The name of the statement or, for cache_skips, of a pump.
    std::string_view query = {};
    // The text of the statement instead, with the same parameters.
    std::string_view text = {};
    // The simulator promises to find the bug within this number of seeds.
    int seeds = 8;
    // A second statement of the service with another text, where one guard alone is not missed.
    std::string_view second_query = {};
    std::string_view second_text = {};
};

std::span<const Mutant> mutants();
const Mutant* mutant_named(std::string_view name);

}  // namespace trackops::sim
