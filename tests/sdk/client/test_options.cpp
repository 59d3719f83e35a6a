// Which options are refused, in which words; and the document that is made from the same table.
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>

#include "rig.hpp"
#include "sdk/client/check_options.hpp"
#include "sdk/client/option_table.hpp"

using namespace profile_relay;
using namespace profile_relay::sdk;
using namespace profile_relay::sdk::test;

namespace {

std::string refusal(void (*change)(profiler_options&)) {
  auto o = sampled();
  change(o);
  try {
    check_options(o);
  } catch (invalid_options const& e) {
    return e.what();
  }
  return "";
}

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

}  // namespace

TEST_CASE("R8: a rate that is NaN or outside 0 to 1 is refused and named") {
  CHECK(refusal([](auto& o) { o.profile_session_sample_rate = not_a_number; }) ==
        "profile_session_sample_rate: nan is not a number from 0 to 1");
  CHECK(refusal([](auto& o) { o.profile_session_sample_rate = 1.01; }) ==
        "profile_session_sample_rate: 1.010000 is not a number from 0 to 1");
  CHECK(refusal([](auto& o) { o.profile_session_sample_rate = -0.1; }) ==
        "profile_session_sample_rate: -0.100000 is not a number from 0 to 1");
  CHECK(refusal([](auto& o) { o.traces_sample_rate = not_a_number; }) ==
        "traces_sample_rate: nan is not a number from 0 to 1");
  CHECK(refusal([](auto& o) { o.profiles_sample_rate = 7; }) ==
        "profiles_sample_rate: 7.000000 is not a number from 0 to 1");
  for (double const good : {0.0, 0.5, 1.0}) {
    auto o = sampled();
    o.profile_session_sample_rate = o.traces_sample_rate = o.profiles_sample_rate = good;
    CHECK_NOTHROW(check_options(o));
  }
}

TEST_CASE("a DSN that cannot be used is refused and named") {
  for (auto const* dsn : {"", "nonsense", "ftp://k@h/1", "http://h/1", "http://k@h/", "http://k@h/x"}) {
    auto o = sampled();
    o.dsn = dsn;
    CHECK_THROWS_WITH(check_options(o), Catch::StartsWith("dsn: "));
  }
}

TEST_CASE("release and environment with control characters or over 200 bytes are refused") {
  CHECK(refusal([](auto& o) { o.release = "a\nb"; }) == "release: contains a control character");
  CHECK(refusal([](auto& o) { o.environment = std::string(201, 'e'); }) ==
        "environment: longer than 200 bytes");
  CHECK(refusal([](auto& o) { o.release = std::string(200, 'r'); }).empty());
}

TEST_CASE("a file of certificates that cannot be read is refused by its path") {
  CHECK(refusal([](auto& o) { o.ca_certs = "/nowhere.pem"; }) == "ca_certs: /nowhere.pem is no regular file");
  CHECK(refusal([](auto& o) { o.ca_certs = "/"; }) == "ca_certs: / is no regular file");
  auto const pipe = std::filesystem::temp_directory_path() / ("ca-pipe-" + std::to_string(::getpid()));
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  auto o = sampled();
  o.ca_certs = pipe;
  CHECK_THROWS_WITH(check_options(o), Catch::EndsWith(" is no regular file"));
  std::filesystem::remove(pipe);
  std::ofstream(pipe).close();
  CHECK_THROWS_WITH(check_options(o), Catch::EndsWith(" is empty or cannot be read"));
  std::filesystem::remove(pipe);
}

TEST_CASE("docs/profiler-options.md is what the option table says") {
  std::ifstream file(DOCS_DIR "/profiler-options.md");
  std::stringstream text;
  text << file.rdbuf();
  INFO("regenerate with: build/dev/profiler-options-page > docs/profiler-options.md");
  CHECK(text.str() == option_page());
}

TEST_CASE("the option table has one row for each member of profiler_options, in order") {
  std::ifstream file(HEADER);
  std::string line;
  std::vector<std::string> members, rows;
  while (std::getline(file, line) && line != "struct profiler_options {") {
  }
  while (std::getline(file, line) && line != "};") {
    auto const end = line.find_first_of("={;");
    auto name = line.substr(0, end);
    name.erase(name.find_last_not_of(' ') + 1);
    members.push_back(name.substr(name.rfind(' ') + 1));
  }
  for (auto const& row : option_table()) rows.emplace_back(row.name);
  CHECK(members == rows);
}
