// The setting that says who may call, and what keeps to it while a program runs.
#pragma once
#include <array>
#include <memory>
#include <utility>

#include "platform/config/settings.hpp"

namespace trackops {
class Clock;
}
namespace trackops::access {
class AccessStore;
}
namespace trackops::http {
class Identifier;
}
namespace trackops::runtime {
class PumpThreads;
}
namespace trackops::telemetry {
class Registry;
}

namespace trackops::apps {

inline constexpr config::Setting access_file_setting{
    "access-file", config::Kind::text, "",
    "File with the keys and operators that may call, made by `trackops access`; read again when it "
    "changes. Without one every caller may do everything."};

// The access file of a program.
class Access {
public:
    // Reads the file that the settings name, and looks at it again and again on a thread of its
    // own. `clock` and `metrics` outlive this. Throws std::runtime_error with every fault of the
    // file.
    Access(const config::Values& values, const Clock& clock, telemetry::Registry& metrics);
    ~Access();
    Access(const Access&) = delete;
    Access& operator=(const Access&) = delete;

    // Returns what names the callers; null without an access file. It lives as long as this.
    http::Identifier* identifier();

private:
    std::unique_ptr<access::AccessStore> store_;
    std::unique_ptr<runtime::PumpThreads> threads_;
};

// Returns the options of a module whose callers are those of `access`.
template <class Options>
Options with_access(Options options, Access& access) {
    options.edge.identifier = access.identifier();
    return options;
}

}  // namespace trackops::apps
