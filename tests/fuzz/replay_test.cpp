// The fuzz targets in the ordinary builds: over the seeds, and over regressions/<target>, inputs that once failed.
#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include "tests/fuzz/targets.hpp"

namespace fuzz = profile_relay::fuzz;
namespace fs = std::filesystem;

namespace {

std::size_t replay(fs::path const& folder, void (*target)(fuzz::input)) {
  std::size_t n = 0;
  for (auto const& entry : fs::directory_iterator(folder)) {
    if (entry.path().filename() == "README.md") continue;
    INFO(entry.path().string());
    std::ifstream f(entry.path(), std::ios::binary);
    std::string const text{std::istreambuf_iterator<char>(f), {}};
    // A block of exactly this size, so that the sanitizer sees the first byte behind it.
    auto const bytes = std::make_unique<std::byte[]>(text.size());
    std::transform(text.begin(), text.end(), bytes.get(), [](char c) { return static_cast<std::byte>(c); });
    target({bytes.get(), text.size()});
    ++n;
  }
  return n;
}

void replay_all(std::string const& name, void (*target)(fuzz::input)) {
  CHECK(replay(fs::path(TEST_BUILD_DIR) / "fuzz-seeds" / name, target) >= 8);
  auto const regressions = fs::path(FUZZ_DIR) / "regressions" / name;
  if (fs::exists(regressions)) replay(regressions, target);
  target({});
}

}  // namespace

TEST_CASE("fuzz target trace, replayed") { replay_all("trace", fuzz::trace); }
TEST_CASE("fuzz target bundle, replayed") { replay_all("bundle", fuzz::bundle); }
TEST_CASE("fuzz target wire, replayed") { replay_all("wire", fuzz::wire); }
TEST_CASE("fuzz target sample_v2, replayed") { replay_all("sample_v2", fuzz::sample_v2); }
TEST_CASE("fuzz target http_chunks, replayed") { replay_all("http_chunks", fuzz::http_chunks); }
