// The identity of a message that a consumer claims in its inbox.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "base/uuid.hpp"

namespace trackops::outbox {

struct MessageIdentity {
    Uuid claim;        // the id of the message in the inbox
    std::string name;  // the message's own id, printable, as the events that it causes name it
};

// Returns the identity of a message with the CloudEvents attributes `id` and `source`; nothing when
// the id is empty. A UUID is its own claim. CloudEvents allows any text as an id: the claim of
// another text is a UUID of version 8 from the SHA-256 of source and id, so that a redelivery has
// the same claim. An id longer than 128 bytes or with bytes outside printable ASCII is named by its
// claim.
std::optional<MessageIdentity> identity_of(std::string_view source, std::string_view id);

}  // namespace trackops::outbox
