#include "platform/runtime/open_files.hpp"

#include <sys/resource.h>

#include <gtest/gtest.h>

namespace trackops::runtime {
namespace {

TEST(OpenFiles, MayBeAsManyAsTheHardLimitAllows) {
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
    const rlimit lowered{before.rlim_max / 2, before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &lowered), 0);
    EXPECT_EQ(raise_open_files_max(),
              before.rlim_max == RLIM_INFINITY ? UINT64_MAX : before.rlim_max);
    rlimit after{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &after), 0);
    EXPECT_EQ(after.rlim_cur, before.rlim_max);
    EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
}

}  // namespace
}  // namespace trackops::runtime
