#include "platform/backends/redis_url.hpp"

#include "platform/url/url.hpp"

namespace trackops::backends {

void refuse_redis_url(std::string_view url, const url::Form& form) {
    if (url::scheme_of(url) == "rediss")
        url::refuse(url, form,
                    "TLS to Redis needs hiredis_ssl, which the hiredis of Debian 12 does not have: "
                    "put Redis on this machine, or a tunnel in front of it");
    url::refuse(url, form, "it is neither embedded: nor redis://");
}

}  // namespace trackops::backends
