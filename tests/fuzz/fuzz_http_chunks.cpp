#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "server/io/chunk_reader.hpp"
#include "tests/fuzz/check.hpp"
#include "tests/fuzz/targets.hpp"

namespace profile_relay::fuzz {
namespace {

using server::chunk_reader;

struct read_body {
  chunk_reader::state end = chunk_reader::state::need_more;
  std::string body;
  std::size_t consumed = 0;

  bool operator==(read_body const&) const = default;
};

/// Reads with never more than `piece` new bytes at a time, as the network might bring them.
read_body read_in_pieces(input in, std::size_t piece) {
  chunk_reader reader;
  read_body out;
  for (std::size_t there = 0;;) {
    auto const step = reader.read(in.subspan(out.consumed, there - out.consumed));
    FUZZ_CHECK(step.consumed <= there - out.consumed, "more consumed than there was");
    out.consumed += step.consumed;
    out.body.append(reinterpret_cast<const char*>(step.bytes.data()), step.bytes.size());
    if (step.now == chunk_reader::state::piece) {
      FUZZ_CHECK(!step.bytes.empty(), "an empty piece would be read for ever");
      continue;
    }
    out.end = step.now;
    if (step.now != chunk_reader::state::need_more || there == in.size()) return out;
    there += std::min(piece, in.size() - there);
  }
}

/// What Beast makes of the same bytes behind a head; absent = it refuses them or waits for more.
std::optional<read_body> read_by_beast(input in) {
  namespace http = boost::beast::http;
  http::request_parser<http::string_body> parser;
  parser.header_limit(1u << 20);
  parser.eager(true);
  boost::system::error_code ec;
  constexpr std::string_view head = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
  auto const used = parser.put(boost::asio::buffer(head), ec);
  FUZZ_CHECK(used == head.size(), "Beast refuses a plain head");
  std::size_t at = 0;
  ec = {};
  while (!ec && !parser.is_done() && at < in.size()) {
    auto const n = parser.put(boost::asio::buffer(in.data() + at, in.size() - at), ec);
    at += n;
    if (n == 0) break;
  }
  if (ec || !parser.is_done()) return std::nullopt;
  return read_body{chunk_reader::state::done, parser.get().body(), at};
}

}  // namespace

void http_chunks(input in) {
  if (in.empty()) return;
  auto const piece = 1 + static_cast<std::size_t>(in[0]);
  in = in.subspan(1);
  auto const whole = read_in_pieces(in, std::max<std::size_t>(1, in.size()));
  auto pieces = read_in_pieces(in, piece);
  // A malformed line may be refused before all of it is there, and data before it be handed on or not.
  if (whole.end == chunk_reader::state::malformed) {
    FUZZ_CHECK(pieces.end == whole.end, "malformed only as a whole");
    return;
  }
  FUZZ_CHECK(pieces == whole, "the pieces of the network make a difference");
  if (whole.end != chunk_reader::state::done) return;
  auto const oracle = read_by_beast(in);
  FUZZ_CHECK(oracle.has_value(), "taken for a body, but not by Beast");
  FUZZ_CHECK(oracle->body == whole.body && oracle->consumed == whole.consumed, "Beast reads another body");
}

}  // namespace profile_relay::fuzz
