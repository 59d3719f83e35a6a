#include "profile/text_block.hpp"

#include <catch2/catch.hpp>
#include <random>

using profile_relay::profile::text_block;
using profile_relay::profile::write_text;

TEST_CASE("a piece that does not fit the rest of the block empties it first") {
  std::string out;
  text_block b(out, 1'000'000);
  const std::string most(text_block::capacity - 4, 'a');
  b.advance_to(write_text(b.room(most.size()), most));
  CHECK(out.empty());
  b.advance_to(write_text(b.room(4), "bbbb"));
  CHECK(out.empty());
  char* const again = b.room(1);
  CHECK(out == most + "bbbb");
  b.advance_to(write_text(again, "c"));
  CHECK(b.flush());
  CHECK(out == most + "bbbbc");
}

TEST_CASE("pieces of every size come out in order, and room that is not used costs nothing") {
  std::mt19937 random(5);
  std::string out, expected;
  text_block b(out, 1U << 30);
  for (int i = 0; i < 3000; ++i) {
    const auto size = i % 50 == 0 ? random() % 30'000 : random() % 200;
    const std::string piece(size, static_cast<char>('a' + i % 26));
    expected += piece;
    b.advance_to(write_text(b.room(size + random() % 300), piece));
  }
  REQUIRE(b.flush());
  CHECK(out == expected);
}

TEST_CASE("the limit is noticed within a block") {
  std::string out;
  text_block b(out, 10'000);
  const std::string piece(1000, 'x');
  int pieces = 0;
  while (char* to = b.room(piece.size())) {
    b.advance_to(write_text(to, piece));
    ++pieces;
  }
  CHECK(out.size() > 10'000);
  CHECK(out.size() <= 10'000 + text_block::capacity);
  CHECK(pieces <= 18);
  CHECK_FALSE(b.flush());
}
