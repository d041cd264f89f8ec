// The refusal of a URL that names neither Redis nor the memory of the process.
#pragma once
#include <string_view>

namespace trackops::url {
struct Form;
}

namespace trackops::backends {

// Refuses a URL that is neither embedded: nor redis://, and says why. Throws std::invalid_argument.
[[noreturn]] void refuse_redis_url(std::string_view url, const url::Form& form);

}  // namespace trackops::backends
