// Every tests/data/traces/NAME.textproto is decoded and compared with NAME.expected.json beside it. A new
// case is a new pair of files. PROFILE_RELAY_UPDATE_GOLDEN=1 rewrites the expectations: read the difference
// before committing it.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "dump.hpp"

namespace pd = profile_relay::perfetto_decode;
namespace fs = std::filesystem;

namespace {

std::string read_file(fs::path const& p) {
  std::ifstream f(p, std::ios::binary);
  std::stringstream s;
  s << f.rdbuf();
  return s.str();
}

std::span<const std::byte> bytes_of(std::string const& s) {
  return std::as_bytes(std::span(s.data(), s.size()));
}

}  // namespace

TEST_CASE("decoded samples and counters of every text trace") {
  bool const update = std::getenv("PROFILE_RELAY_UPDATE_GOLDEN") != nullptr;
  std::size_t cases = 0;
  for (auto const& entry : fs::directory_iterator(fs::path(TEST_DATA_DIR) / "traces")) {
    if (entry.path().extension() != ".textproto") continue;
    auto const name = entry.path().stem().string();
    INFO(name);
    auto const bytes = read_file(fs::path(TEST_BUILD_DIR) / "traces" / (name + ".pftrace"));
    REQUIRE_FALSE(bytes.empty());
    auto const decoded = pd::decode(bytes_of(bytes));
    REQUIRE(decoded.has_value());
    auto const got = pd::testing::dump(decoded.value());
    auto const expected_path = fs::path(entry.path()).replace_extension(".expected.json");
    if (update) std::ofstream(expected_path) << got.dump(1) << '\n';
    REQUIRE(fs::exists(expected_path));
    auto const expected = nlohmann::json::parse(read_file(expected_path));
    INFO("got " << got.dump(1));
    CHECK(got == expected);
    ++cases;
  }
  CHECK(cases >= 20);
}
