#include "platform/config/config_file.hpp"

#include <filesystem>
#include <fstream>
#include <unistd.h>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "platform/config/help.hpp"
#include "platform/config/settings.hpp"

namespace trackops::config {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using Texts = std::vector<std::string>;

constexpr auto table = std::to_array<Setting>({
    {"config", Kind::text, "", "File of settings."},
    {"port", Kind::integer, "8080", "Port.", 1, 65535},
    {"public-host", Kind::text, "", "Names."},
    {"drain", Kind::duration, "10s", "Time.", 1000},
    {"log-json", Kind::flag, "true", "Log as JSON."},
    {.name = "database-password",
     .kind = Kind::text,
     .default_value = "",
     .help = "Password.",
     .secret = true},
});

class ConfigFile : public testing::Test {
protected:
    void TearDown() override { std::filesystem::remove_all(folder_); }

    std::string write(const std::string& name, const std::string& content) {
        std::string path = folder_ / name;
        std::ofstream(path, std::ios::binary) << content;
        return path;
    }
    // Reads `content` as the file, beside flags and variables.
    Result<Values> read_with(const std::string& content, Texts arguments = {},
                             const Texts& environment = {}) {
        arguments.push_back("--config=" + write("trackops.json", content));
        return read(table, arguments, environment);
    }
    // Returns the faults, with "FILE" in place of the file's path.
    Texts faults(const std::string& content, const Texts& environment = {}) {
        const auto values = read_with(content, {}, environment);
        Texts out;
        if (values) return out;
        const std::string path = folder_ / "trackops.json";
        for (const auto& field : values.error().fields) {
            out.push_back(field.pointer + " " + field.detail);
            const auto at = out.back().find(path);
            if (at != std::string::npos) out.back().replace(at, path.size(), "FILE");
        }
        return out;
    }

    const std::filesystem::path folder_ = [] {
        std::string name = std::filesystem::temp_directory_path() / "trackops-config-XXXXXX";
        return std::filesystem::path(mkdtemp(name.data()));
    }();
};

TEST_F(ConfigFile, GivesValuesOfEveryKind) {
    const auto values = read_with(
        R"({"port": 9000, "public-host": "shop.example", "drain": "30s", "log-json": false})");
    ASSERT_TRUE(values) << values.error().detail;
    EXPECT_EQ(values->integer("port"), 9000);
    EXPECT_EQ(values->values.at("port").source, "config");
    EXPECT_EQ(values->text("public-host"), "shop.example");
    EXPECT_EQ(values->duration("drain"), 30s);
    EXPECT_FALSE(values->flag("log-json"));
    EXPECT_EQ(values->values.at("database-password").source, "default");
    EXPECT_EQ(read_with(R"({"port": "9000"})")->integer("port"), 9000);
}

TEST_F(ConfigFile, ComesAfterFlagsAndVariables) {
    const auto values =
        read_with(R"({"port": 1, "drain": "2s", "log-json": false, "database-password": "c"})",
                  {"--port=3"}, {"TRACKOPS_DRAIN=4s", "TRACKOPS_DATABASE_PASSWORD=e"});
    ASSERT_TRUE(values) << values.error().detail;
    EXPECT_EQ(values->integer("port"), 3);
    EXPECT_EQ(values->duration("drain"), 4s);
    EXPECT_EQ(values->text("database-password"), "e");
    EXPECT_FALSE(values->flag("log-json"));
}

TEST_F(ConfigFile, IsNamedByAFlagOrAVariable) {
    const std::string path = write("other.json", R"({"port": 7})");
    EXPECT_EQ(read(table, {}, Texts{"TRACKOPS_CONFIG=" + path})->integer("port"), 7);
    EXPECT_EQ(read(table, Texts{"--config", path}, Texts{"TRACKOPS_CONFIG=/none"})->integer("port"),
              7);
    EXPECT_EQ(read(table, {}, {})->integer("port"), 8080);
}

TEST_F(ConfigFile, NamesTheFileOfASecret) {
    const std::string secret = write("password", "hunter2\n");
    const auto values = read_with(fmt::format(R"({{"database-password-file": "{}"}})", secret));
    ASSERT_TRUE(values) << values.error().detail;
    EXPECT_EQ(values->text("database-password"), "hunter2");
    EXPECT_EQ(values->values.at("database-password").source, "file");
    EXPECT_THAT(
        faults(R"({"database-password-file": "/none"})"),
        ElementsAre("FILE: database-password-file names a file that cannot be read: /none"));
    EXPECT_EQ(faults(R"({"database-password": "a", "database-password-file": "/none"})").size(),
              1U);
    EXPECT_THAT(faults(R"({"public-host-file": "/none"})"),
                ElementsAre("FILE: public-host-file is unknown"));
}

TEST_F(ConfigFile, NamesEveryFaultAtOnce) {
    EXPECT_THAT(
        faults(R"({"prot": 1, "config": "x", "public-host": ["a"], "drain": "soon", "port": 0,
                   "log-json": null})",
               {"TRACKOPS_PROT=1"}),
        ElementsAre("TRACKOPS_PROT is unknown; did you mean TRACKOPS_PORT?",
                    "FILE: prot is unknown; did you mean port?",
                    "FILE: config is not read from the file that it names",
                    "FILE: public-host is neither text, a whole number, true nor false",
                    "FILE: log-json is neither text, a whole number, true nor false",
                    "FILE: port \"0\" is out of bounds: 1 to 65535",
                    "FILE: drain \"soon\" is not a duration such as 250ms, 30s, 15m, 24h or 7d"));
}

TEST_F(ConfigFile, IsRefusedUnlessItIsOneJsonObject) {
    EXPECT_THAT(faults("[]"), ElementsAre("--config names a file that is no JSON object: FILE"));
    for (const char* content : {"", "{", R"({"port": 1, "port": 2})", "{} {}", "{\"port\": 1.}"})
        EXPECT_EQ(faults(content).size(), 1U) << content;
    EXPECT_EQ(faults(std::string(config_file_bytes_max + 1, ' ')).size(), 1U);
    for (const char* path : {"/none", "/"}) {
        const auto values = read(table, Texts{"--config", path}, {});
        ASSERT_FALSE(values);
        EXPECT_THAT(values.error().detail, HasSubstr("names a file that cannot be read"));
    }
}

TEST_F(ConfigFile, ShowsNoSecret) {
    const auto values = read_with(R"({"database-password": "hunter2"})");
    EXPECT_THAT(print(table, *values), HasSubstr("database-password = ****** (config)\n"));
    const auto bad = read_with(R"({"database-pasword": "hunter2"})");
    ASSERT_FALSE(bad);
    EXPECT_THAT(bad.error().detail, Not(HasSubstr("hunter2")));
}

}  // namespace
}  // namespace trackops::config
