// The text of any exception, for logs.
#pragma once
#include <exception>
#include <string>

namespace trackops::runtime {

// `failure` must not be null.
std::string failure_text(const std::exception_ptr& failure);

}  // namespace trackops::runtime
