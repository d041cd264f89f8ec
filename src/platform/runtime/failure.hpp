// What an exception says, whatever it is.
#pragma once
#include <exception>
#include <string>

namespace trackops::runtime {

// failure is not null.
std::string failure_text(const std::exception_ptr& failure);

}  // namespace trackops::runtime
