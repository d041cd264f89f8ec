#include "apps/access_settings.hpp"

#include "platform/access/access_store.hpp"
#include "platform/runtime/pump_threads.hpp"
#include "platform/telemetry/log.hpp"

namespace trackops::apps {

Access::Access(const config::Values& values, const Clock& clock, telemetry::Registry& metrics) {
    const std::string& file = values.text(access_file_setting.name);
    if (file.empty()) {
        telemetry::log(telemetry::Level::info, "access",
                       "there is no access file: every caller may do everything");
        return;
    }
    store_ = std::make_unique<access::AccessStore>(file, clock, metrics);
    threads_ = std::make_unique<runtime::PumpThreads>(metrics);
    threads_->add("access", *store_);
}

Access::~Access() = default;

http::Identifier* Access::identifier() { return store_.get(); }

}  // namespace trackops::apps
