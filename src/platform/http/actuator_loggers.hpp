// The loggers as JSON, in the shape of Spring Boot's /actuator/loggers.
#pragma once
#include "platform/http/message.hpp"

namespace trackops::http {

// Answers {"levels","loggers","groups"}: ROOT, and every logger that has written a line or has a
// level of its own.
Response all_loggers(const Request& request);
// Answers the levels of the logger that the parameter {name} names. 404: there is none.
Response one_logger(const Request& request);
// Sets the level of that logger, which need not have written a line, to the body's
// "configuredLevel"; without one it has that of ROOT again. Answers 204. 422: the body is not
// valid, the name is longer than 100 bytes, or too many loggers have a level of their own.
Response set_logger(const Request& request);

}  // namespace trackops::http
