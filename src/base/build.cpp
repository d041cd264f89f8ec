#include "base/build.hpp"

namespace trackops {

std::string_view commit() { return TRACKOPS_COMMIT; }

}  // namespace trackops
