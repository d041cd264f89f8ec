// The settings as JSON, in the shape of Spring Boot's /actuator/env.
#pragma once
#include <span>
#include <string>

#include "platform/http/message.hpp"

namespace trackops::http {

// A setting of the program, as people may see it.
struct ShownSetting {
    std::string name;    // e.g. database-url
    std::string value;   // a secret is masked
    std::string source;  // flag, environment, file or default
};

// Answers {"activeProfiles","propertySources"}: the settings by source, and under "process" the
// process id as PID.
Response all_settings(const Request& request, std::span<const ShownSetting> settings);
// Answers {"property":{"source","value"},...} for the setting that the parameter {name} names. 404:
// there is none.
Response one_setting(const Request& request, std::span<const ShownSetting> settings);

}  // namespace trackops::http
