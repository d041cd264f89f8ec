#include "platform/config/settings.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <unistd.h>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "platform/config/help.hpp"

namespace trackops::config {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

using Texts = std::vector<std::string>;

constexpr auto table = std::to_array<Setting>({
    {"order-port", Kind::integer, "8080", "Port of the order API.", 1, 65535},
    {"data-dir", Kind::text, ".data", "Where the embedded stores live."},
    {"retention", Kind::duration, "24h", "How long events are kept.", 1000, 604'800'000},
    {"json", Kind::flag, "true", "Log as JSON."},
    {"database-password", Kind::text, "", "Password of the service's role.", 0, INT64_MAX, true},
    {"pin", Kind::integer, "1234", "A secret number.", 1000, 9999, true},
});

Values good(const Texts& arguments, const Texts& environment = {}) {
    auto values = read(table, arguments, environment);
    EXPECT_TRUE(values) << values.error().detail;
    return values.value_or(Values{});
}

// Returns "pointer detail" for each fault.
Texts faults(const Texts& arguments, const Texts& environment = {}) {
    const auto values = read(table, arguments, environment);
    Texts out;
    if (values) return out;
    EXPECT_EQ(values.error().code, Errc::invalid);
    for (const auto& field : values.error().fields) {
        out.push_back(field.pointer + " " + field.detail);
        EXPECT_THAT(values.error().detail, HasSubstr(out.back()));
    }
    return out;
}

class SecretFile {
public:
    explicit SecretFile(const std::string& content) {
        std::string path = std::filesystem::temp_directory_path() / "trackops-secret-XXXXXX";
        close(mkstemp(path.data()));
        path_ = path;
        std::ofstream(path_, std::ios::binary) << content;
    }
    ~SecretFile() { std::filesystem::remove(path_); }
    SecretFile(const SecretFile&) = delete;
    SecretFile& operator=(const SecretFile&) = delete;
    std::string path() const { return path_.string(); }

private:
    std::filesystem::path path_;
};

TEST(Settings, PreferFlagOverEnvironmentOverDefault) {
    const Values values =
        good({"--order-port", "9000"},
             {"TRACKOPS_ORDER_PORT=9001", "TRACKOPS_DATA_DIR=/var/x=y", "HOME=/root"});
    EXPECT_EQ(values.integer("order-port"), 9000);
    EXPECT_EQ(values.values.at("order-port").source, "flag");
    EXPECT_EQ(values.text("data-dir"), "/var/x=y");
    EXPECT_EQ(values.values.at("data-dir").source, "environment");
    EXPECT_EQ(values.duration("retention"), 24h);
    EXPECT_EQ(values.values.at("retention").source, "default");
}

TEST(Settings, ReadEveryFormOfAFlag) {
    EXPECT_EQ(good({"--order-port=9000"}).integer("order-port"), 9000);
    EXPECT_EQ(good({"--data-dir="}).text("data-dir"), "");
    EXPECT_EQ(good({"--data-dir=--x=y"}).text("data-dir"), "--x=y");
    EXPECT_EQ(good({"--data-dir", "-"}).text("data-dir"), "-");
    EXPECT_TRUE(good({}).flag("json"));
    EXPECT_TRUE(good({"--json"}).flag("json"));
    EXPECT_FALSE(good({"--no-json"}).flag("json"));
    EXPECT_FALSE(good({"--json=false"}).flag("json"));
    EXPECT_FALSE(good({}, {"TRACKOPS_JSON=0"}).flag("json"));
    EXPECT_TRUE(good({"--json"}, {"TRACKOPS_JSON=0"}).flag("json"));
    EXPECT_EQ(good({}, {"TRACKOPS_JSON=0"}).text("json"), "false");
}

TEST(Settings, NameEveryFaultAtOnce) {
    EXPECT_THAT(
        faults({"--order-port", "0", "--retention=soon", "--oder-prt", "x", "stray"},
               {"TRACKOPS_JSON=maybe", "TRACKOPS_DATADIR=x", "TRACKOPS_TEST_POSTGRES=x"}),
        ElementsAre("--oder-prt is unknown; did you mean --order-port?",
                    "argument 6 belongs to no flag",
                    "TRACKOPS_DATADIR is unknown; did you mean TRACKOPS_DATA_DIR?",
                    "--order-port \"0\" is out of bounds: 1 to 65535",
                    "--retention \"soon\" is not a duration such as 250ms, 30s, 15m, 24h or 7d",
                    "TRACKOPS_JSON \"maybe\" is neither true nor false"));
}

TEST(Settings, RefuseFlagsThatAreNotWellFormed) {
    EXPECT_THAT(faults({"--order-port"}), ElementsAre("--order-port needs a value"));
    EXPECT_THAT(faults({"--data-dir", "--json"}), ElementsAre("--data-dir needs a value"));
    EXPECT_THAT(faults({"--json", "--no-json"}), ElementsAre("--json is given twice"));
    EXPECT_THAT(faults({"--data-dir=a", "--data-dir=a"}), ElementsAre("--data-dir is given twice"));
    EXPECT_THAT(faults({"--no-json=true"}), ElementsAre("--no-json takes no value"));
    EXPECT_THAT(faults({"--json", "false"}), ElementsAre("argument 2 belongs to no flag"));
    EXPECT_THAT(faults({"-p", "--"}),
                ElementsAre("argument 1 belongs to no flag", "argument 2 belongs to no flag"));
    EXPECT_THAT(faults({"--no-data-dir"}), ElementsAre("--no-data-dir is unknown"));
    EXPECT_THAT(faults({"--=x"}), ElementsAre("-- is unknown"));
}

TEST(Settings, SuggestOnlyWhatIsNear) {
    EXPECT_THAT(faults({"--ordre-port=1"}),
                ElementsAre("--ordre-port is unknown; did you mean --order-port?"));
    EXPECT_THAT(faults({"--ordre-prot=1"}),
                ElementsAre("--ordre-prot is unknown; did you mean --order-port?"));  // two swaps
    EXPECT_THAT(faults({"--nojson"}), ElementsAre("--nojson is unknown; did you mean --no-json?"));
    EXPECT_THAT(faults({"--inventory-port=1"}), ElementsAre("--inventory-port is unknown"));
    EXPECT_THAT(faults({}, {"TRACKOPS_PIN_FIEL=x"}),
                ElementsAre("TRACKOPS_PIN_FIEL is unknown; did you mean TRACKOPS_PIN_FILE?"));
}

TEST(Settings, KeepNumbersAndDurationsWithinTheirBounds) {
    EXPECT_EQ(good({"--order-port=1"}).integer("order-port"), 1);
    EXPECT_EQ(good({"--order-port=65535"}).integer("order-port"), 65535);
    EXPECT_EQ(good({"--retention=7d"}).duration("retention"), 168h);
    EXPECT_EQ(good({"--retention=1000ms"}).duration("retention"), 1s);
    EXPECT_THAT(faults({"--order-port=65536"}),
                ElementsAre("--order-port \"65536\" is out of bounds: 1 to 65535"));
    EXPECT_THAT(faults({"--retention=999ms"}),
                ElementsAre("--retention \"999ms\" is out of bounds: 1s to 7d"));
    EXPECT_THAT(faults({"--retention=8d"}),
                ElementsAre("--retention \"8d\" is out of bounds: 1s to 7d"));
    for (const auto* text : {"", " 1", "1 ", "+1", "1.0", "0x1", "1e3", "99999999999999999999"}) {
        EXPECT_EQ(faults({fmt::format("--order-port={}", text)}).size(), 1U) << text;
    }
}

TEST(Settings, ReadSecretsFromFiles) {
    const SecretFile plain("hunter2\n");
    EXPECT_EQ(
        good({}, {"TRACKOPS_DATABASE_PASSWORD_FILE=" + plain.path()}).text("database-password"),
        "hunter2");
    const SecretFile odd("two\n\n");
    const Values values = good({}, {"TRACKOPS_DATABASE_PASSWORD_FILE=" + odd.path()});
    // One newline at the end of the file is not part of the value.
    EXPECT_EQ(values.text("database-password"), "two\n");
    EXPECT_EQ(values.values.at("database-password").source, "file");
    EXPECT_EQ(good({"--pin=1111"}, {"TRACKOPS_PIN_FILE=/none"}).integer("pin"), 1111);
    EXPECT_THAT(faults({}, {"TRACKOPS_PIN_FILE=/none"}),
                ElementsAre("TRACKOPS_PIN_FILE names a file that cannot be read: /none"));
    EXPECT_THAT(faults({}, {"TRACKOPS_PIN_FILE=/"}),
                ElementsAre("TRACKOPS_PIN_FILE names a file that cannot be read: /"));
    EXPECT_THAT(faults({}, {"TRACKOPS_PIN=1111", "TRACKOPS_PIN_FILE=" + plain.path()}),
                ElementsAre("TRACKOPS_PIN_FILE is given beside TRACKOPS_PIN"));
    EXPECT_THAT(faults({}, {"TRACKOPS_DATA_DIR_FILE=x"}),
                // Only a secret may come from a file.
                ElementsAre("TRACKOPS_DATA_DIR_FILE is unknown"));
    const SecretFile large(std::string(65'537, 'x'));
    EXPECT_THAT(faults({}, {"TRACKOPS_PIN_FILE=" + large.path()}),
                ElementsAre("TRACKOPS_PIN_FILE names a file of more than 64 KiB: " + large.path()));
}

TEST(Settings, HaveTheNamesOfOpenTelemetryWhereItNamesThem) {
    constexpr auto otel = std::to_array<Setting>(
        {{"otel-service-name", Kind::text, "shop", "The name."},
         {"otel-bsp-max-queue-size", Kind::integer, "2048", "Spans.", 1, 10'000},
         {"otel-exporter-otlp-headers", Kind::text, "", "Headers.", 0, INT64_MAX, true}});
    const auto given = [&](const Texts& environment) { return read(otel, Texts{}, environment); };
    const auto values =
        given({"OTEL_SERVICE_NAME=orders", "OTEL_BSP_MAX_QUEUE_SIZE=", "OTEL_PROPAGATORS=b3",
               "TRACKOPS_TEST_X=1"});
    ASSERT_TRUE(values) << values.error().detail;  // what is unknown is another program's
    EXPECT_EQ(values->text("otel-service-name"), "orders");
    EXPECT_EQ(values->integer("otel-bsp-max-queue-size"), 2048);  // empty is as if it were unset
    const SecretFile file("a=b\n");
    EXPECT_EQ(given({"OTEL_EXPORTER_OTLP_HEADERS_FILE=" + file.path()})
                  ->text("otel-exporter-otlp-headers"),
              "a=b");
    EXPECT_FALSE(given(
        {"OTEL_EXPORTER_OTLP_HEADERS=c=d", "OTEL_EXPORTER_OTLP_HEADERS_FILE=" + file.path()}));
    const auto bad = given({"OTEL_BSP_MAX_QUEUE_SIZE=0", "TRACKOPS_OTEL_SERVICE_NAME=x"});
    ASSERT_FALSE(bad);
    EXPECT_THAT(bad.error().detail, HasSubstr("OTEL_BSP_MAX_QUEUE_SIZE \"0\" is out of bounds"));
    EXPECT_THAT(bad.error().detail, HasSubstr("TRACKOPS_OTEL_SERVICE_NAME is unknown"));
}

TEST(Settings, ShowNoSecret) {
    for (const Texts& arguments : {Texts{"--pin=hunter2"}, Texts{"--database-pasword=hunter2"},
                                   Texts{"--database-pasword", "hunter2"}, Texts{"hunter2"},
                                   Texts{"--json", "hunter2"}, Texts{"--pin=77777"}}) {
        const auto values = read(table, arguments, {});
        ASSERT_FALSE(values);
        EXPECT_THAT(values.error().detail, Not(HasSubstr("hunter2")));
        EXPECT_THAT(values.error().detail, Not(HasSubstr("77777")));
    }
    EXPECT_EQ(
        print(table, good({"--database-password=hunter2", "--no-json"}, {"TRACKOPS_ORDER_PORT=9"})),
        "order-port = 9 (environment)\n"
        "data-dir = .data (default)\n"
        "retention = 24h (default)\n"
        "json = false (flag)\n"
        "database-password = ****** (flag)\n"
        "pin = ****** (default)\n");
    for (const auto& [given, shown] : std::map<std::string, std::string>{
             {"postgres://u:a/b@c@host/db", "postgres://u:******@host/db"},
             {"postgres://u:a/b", "postgres://u:******"},
             {"postgres://host:5432/db", "postgres://host:5432/db"},
             {"kafka://a:9092,b:9093", "kafka://a:9092,b:9093"},
             {"redis://:hunter2@host:6379", "redis://:******@host:6379"},
             {"postgres://u@host:5432/db", "postgres://u@host:5432/db"},
             {"postgres://host/db?user=u&password=x",
              "postgres://host/db?user=u&password=******"}}) {
        EXPECT_THAT(print(table, good({"--database-password=" + given})),
                    HasSubstr("database-password = " + shown + " (flag)\n"));
    }
    EXPECT_THAT(print(table, good({})),
                HasSubstr("database-password =  (default)\n"));  // an empty value needs no mask
    EXPECT_THAT(help(table), Not(HasSubstr("1234")));
}

TEST(Settings, ExplainThemselves) {
    constexpr auto few = std::to_array<Setting>({
        {"order-port", Kind::integer, "8080", "Port of the order API.", 1, 65535},
        {"json", Kind::flag, "true",
         "Log as JSON, one object a line, for machines to read; otherwise in a form for people at "
         "a terminal."},
        {"retention", Kind::duration, "24h", "How long events are kept.", 1500},
        {"password", Kind::text, "", "Of the role.", 0, INT64_MAX, true},
    });
    EXPECT_EQ(
        help(few),
        "  --order-port NUMBER   Port of the order API. (1 to 65535, default 8080)\n"
        "  --[no-]json           Log as JSON, one object a line, for machines to read; "
        "otherwise in a form\n"
        "                        for people at a terminal. (default true)\n"
        "  --retention DURATION  How long events are kept. (at least 1500ms, default 24h)\n"
        "  --password TEXT       Of the role. (secret)\n"
        "\n"
        "Each can also be given in the environment: --some-name as TRACKOPS_SOME_NAME, a "
        "secret also as\n"
        "TRACKOPS_SOME_NAME_FILE, which names a file that holds it; --otel-name as OTEL_NAME. "
        "Durations are\n"
        "written 250ms, 30s, 15m, 24h, 7d.\n");
}

TEST(Settings, AreReadFromASoundTableOnly) {
    const auto refused = [](std::vector<Setting> rows) {
        EXPECT_THROW((void)read(rows, {}, {}), std::logic_error) << rows[0].name;
    };
    for (const std::string_view name : {"", "Port", "a_b", "-a", "a-", "a--b", "1a", "a b"})
        refused({{name, Kind::text, "", ""}});
    refused({{"a", Kind::text, "", ""}, {"a", Kind::integer, "1", ""}});
    refused({{"a", Kind::flag, "true", ""}, {"no-a", Kind::text, "", ""}});
    refused({{"a", Kind::text, "", "", 0, 0, true}, {"a-file", Kind::text, "", ""}});
    refused({{"a", Kind::integer, "", ""}});
    refused({{"a", Kind::integer, "5", "", 6, 7}});
    refused({{"a", Kind::integer, "5", "", 6, 5}});
    refused({{"a", Kind::duration, "5", ""}});
    refused({{"a", Kind::flag, "", ""}});
}

TEST(Settings, AnswerOnlyForWhatTheyHold) {
    const Values values = good({});
    EXPECT_THROW((void)values.text("nothing"), std::logic_error);
    EXPECT_THROW((void)values.integer("data-dir"), std::logic_error);
    EXPECT_THROW((void)values.duration("order-port"), std::logic_error);
    EXPECT_THROW((void)values.flag("retention"), std::logic_error);
}

TEST(Duration, IsANumberAndAUnit) {
    EXPECT_EQ(parse_duration("0s"), 0s);
    EXPECT_EQ(parse_duration("250ms"), 250ms);
    EXPECT_EQ(parse_duration("30s"), 30s);
    EXPECT_EQ(parse_duration("15m"), 15min);
    EXPECT_EQ(parse_duration("24h"), 24h);
    EXPECT_EQ(parse_duration("7d"), 168h);
    for (const auto* text : {"", "s", "5", "-5s", "+5s", "5 s", " 5s", "5S", "1.5h", "1h30m", "5us",
                             "99999999999999999999s", "106751992d"}) {
        EXPECT_FALSE(parse_duration(text)) << text;
    }
}

}  // namespace
}  // namespace trackops::config
