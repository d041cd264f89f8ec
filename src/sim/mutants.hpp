// Planted bugs: each lives in a port of the simulator, none in the product.
#pragma once
#include <cstdint>
#include <span>
#include <string_view>

namespace trackops::sim {

// What a port does wrong while a mutant is at work.
enum class MutantKind : std::uint8_t {
    sql_text,            // one statement of one service says something else
    commit_guessed,      // a lost commit counts as done
    confirms_unsent,     // the relay's source confirms what it has just read
    offsets_at_poll,     // offsets are committed with the poll
    goes_on_after_loss,  // a rebalance goes on where the last member had read to
    acks_unsent,         // a publisher acknowledges what the broker did not take
    sends_later,         // the same, and sends it in the background
    acks_refused,        // a publisher acknowledges what the broker refused
    // Of the cache:
    cache_keeps,             // entries outlive their time
    cache_replaces_nothing,  // what is there stays, whoever writes
    cache_takes_older,       // an older version replaces a newer one
    cache_ages_from_put,     // an entry's time counts from when it is put
    cache_skips,             // what the pump `query` writes is not put
    // Of the way to a handler and back:
    if_match_dropped,  // the version that a client names is not handed on
    key_of_pattern,    // a path is handed on as its pattern
    first_body,        // what comes under a key again is handed on with the first body
    correlation_lost,  // the client's correlation id is not handed on
    etag_of_last,      // an answer carries the ETag of the one before
    replay_unmarked,   // a repeated answer does not say that it is one
    // Of the outbox that commits out of order:
    gaps_unseen,            // what is under way below the newest transaction counts as seen
    orders_by_transaction,  // events leave in the order of their transactions' numbers
};

struct Mutant {
    std::string_view name;
    std::string_view bug;  // in a sentence
    MutantKind kind;
    std::string_view service = {};  // order or inventory, of a statement
    std::string_view query = {};    // its name; or that of a pump
    std::string_view text = {};     // what it says instead, with the same parameters
    int seeds = 8;                  // within which the simulator promises to find it
};

std::span<const Mutant> mutants();
const Mutant* mutant_named(std::string_view name);

}  // namespace trackops::sim
