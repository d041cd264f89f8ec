#include "load/command.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "load/run.hpp"
#include "platform/json/reader.hpp"

namespace trackops::load {
namespace {

using testing::internal::CaptureStderr;
using testing::internal::CaptureStdout;
using testing::internal::GetCapturedStderr;
using testing::internal::GetCapturedStdout;

struct Ended {
    int code;
    std::string out;
    std::string err;
};

Ended run(const std::vector<std::string>& arguments,
          const std::vector<std::string>& environment = {}) {
    CaptureStdout();
    CaptureStderr();
    const int code = command(arguments, environment);
    return {code, GetCapturedStdout(), GetCapturedStderr()};
}

class CommandTest : public ::testing::Test {
protected:
    // The input holds only lines that are not sent, so no server is needed.
    void SetUp() override {
        std::ofstream(events_) << R"({"refused":{"externalRef":"1","reason":"no goods"}})" << "\n";
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }

    std::string make_folder() {
        auto name = std::filesystem::temp_directory_path() / "load-XXXXXX";
        std::string text = name.string();
        return mkdtemp(text.data());
    }
    const std::string folder_ = make_folder();
    const std::string events_ = folder_ + "/events.ndjson";
    const std::string report_ = folder_ + "/report.json";
};

TEST_F(CommandTest, TakesTheKeyFromTheEnvironmentOnly) {
    const auto shown = run({events_, "--key", "hush"});
    EXPECT_EQ(shown.code, 2);
    EXPECT_THAT(shown.err, testing::HasSubstr("give the key in the environment"));
    EXPECT_THAT(shown.err, testing::Not(testing::HasSubstr("hush")));
    EXPECT_EQ(run({events_, "--wait", "1s"}, {"TRACKOPS_KEY=trk_x"}).code, 0);
    EXPECT_EQ(run({events_, "--wait", "1s"}, {"TRACKOPS_KEY_FILE=" + events_}).code, 2);
    std::ofstream(folder_ + "/key") << "trk_x\n";
    EXPECT_EQ(run({events_, "--wait", "1s"}, {"TRACKOPS_KEY_FILE=" + folder_ + "/key"}).code, 0);
}

TEST_F(CommandTest, PlaysAFileAndWritesTheReport) {
    const auto ended = run({"--concurrency", "4", events_, "--report=" + report_, "--wait", "1s"});
    EXPECT_EQ(ended.code, 0) << ended.err;
    EXPECT_THAT(ended.out, testing::HasSubstr("no goods 1"));
    std::stringstream text;
    text << std::ifstream(report_).rdbuf();
    const auto report = json::Document::parse(text.str());
    ASSERT_TRUE(report);
    EXPECT_EQ(report->root().find("notSent")->find("no goods")->integer(), 1);
}

TEST_F(CommandTest, ReadsOurSettingsFromTheEnvironmentAndLeavesOthersAlone) {
    EXPECT_EQ(run({events_}, {"TRACKOPS_DATA_DIR=x", "TRACKOPS_RATE=5"}).code, 0);
    EXPECT_EQ(run({events_}, {"TRACKOPS_RATE=often"}).code, 2);
}

TEST_F(CommandTest, RefusesWhatItCannotUse) {
    EXPECT_EQ(run({}).code, 2);
    EXPECT_EQ(run({events_, events_}).code, 2);
    EXPECT_EQ(run({folder_ + "/none"}).code, 2);
    EXPECT_EQ(run({events_, "--rate", "-1"}).code, 2);
    EXPECT_EQ(run({events_, "--order-url", "ftp://x"}).code, 2);
    EXPECT_EQ(run({events_, "--report", folder_ + "/none/report"}).code, 2);
    const auto wrong = run({events_, "--concurency", "4"});
    EXPECT_EQ(wrong.code, 2);
    EXPECT_THAT(wrong.err, testing::HasSubstr("concurrency"));
}

TEST_F(CommandTest, ExplainsItself) {
    const auto ended = run({"--help"});
    EXPECT_EQ(ended.code, 0);
    EXPECT_THAT(ended.out, testing::HasSubstr("--concurrency"));
}

}  // namespace
}  // namespace trackops::load
