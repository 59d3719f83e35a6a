#include "server/core/reason_page.hpp"

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <fstream>
#include <sstream>
#include <string>

#include "config/load.hpp"

using namespace profile_relay::server;

TEST_CASE("docs/reasons.md is what the table of reasons says") {
  std::ifstream file(DOCS_DIR "/reasons.md");
  REQUIRE(file.good());
  std::stringstream text;
  text << file.rdbuf();
  INFO("regenerate with: profile-relay reasons > docs/reasons.md");
  CHECK(text.str() == reasons_markdown());
}

TEST_CASE("the page has a row for every reason, its columns whole, and an advice in each") {
  std::istringstream page(reasons_markdown());
  std::size_t rows = 0;
  for (std::string line; std::getline(page, line);) {
    if (!line.starts_with("| `")) continue;
    INFO(line);
    REQUIRE(rows < reason_table().size());
    auto const& row = reason_table()[rows++];
    CHECK(line.starts_with("| `" + std::string(row.name) + "` | "));
    CHECK(std::ranges::count(line, '|') == 8);
    CHECK_FALSE(advice_for(row.id).empty());
  }
  CHECK(rows == reason_table().size());
}

TEST_CASE("an advice names options that there are") {
  auto const options = profile_relay::config::options_markdown();
  std::size_t named = 0;
  for (auto const& row : reason_table()) {
    std::istringstream words{std::string(advice_for(row.id))};
    // Every second piece stands between backticks.
    bool quoted = false;
    for (std::string piece; std::getline(words, piece, '`'); quoted = !quoted) {
      bool const option = std::ranges::any_of(std::array{"limits.", "health.", "spool.", "outcomes."},
                                              [&](char const* p) { return piece.starts_with(p); });
      if (!quoted || !option) continue;
      INFO(piece);
      CHECK(options.find("| `" + piece + "` |") != std::string::npos);
      ++named;
    }
  }
  CHECK(named > 5);
}
