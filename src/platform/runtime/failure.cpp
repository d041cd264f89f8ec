#include "platform/runtime/failure.hpp"

namespace trackops::runtime {

std::string failure_text(const std::exception_ptr& failure) {
    try {
        std::rethrow_exception(failure);
    } catch (const std::exception& exception) {
        return exception.what();
    } catch (...) {
        return "something that is not a std::exception";
    }
}

}  // namespace trackops::runtime
