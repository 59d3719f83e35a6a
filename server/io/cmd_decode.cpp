#include <algorithm>
#include <cmath>
#include <iomanip>
#include <iostream>

#include "perfetto_decode/decoded_trace.hpp"
#include "profile/convert.hpp"
#include "profile/expand.hpp"
#include "profile/hottest.hpp"
#include "profile/json_document.hpp"
#include "profile/read_json.hpp"
#include "profile/write_json.hpp"
#include "server/core/reason.hpp"
#include "server/io/cmd_files.hpp"
#include "server/io/cmd_inspect_json.hpp"
#include "server/io/text_table.hpp"

namespace profile_relay::server {

namespace {

using profile::result;

/// Indents compact JSON without touching a token: numbers stay as they were written.
std::string pretty(std::string_view json) {
  std::string out;
  std::size_t depth = 0;
  bool in_string = false;
  auto const line = [&] { out.append(1, '\n').append(2 * depth, ' '); };
  for (std::size_t i = 0; i < json.size(); ++i) {
    char const c = json[i];
    if (in_string) {
      out += c;
      if (c == '\\' && i + 1 < json.size())
        out += json[++i];
      else if (c == '"')
        in_string = false;
      continue;
    }
    bool const empty = i + 1 < json.size() && (json[i + 1] == '}' || json[i + 1] == ']');
    switch (c) {
      case '{':
      case '[':
        out += c;
        ++depth;
        if (!empty) line();
        break;
      case '}':
      case ']':
        --depth;
        if (i > 0 && json[i - 1] != '{' && json[i - 1] != '[') line();
        out += c;
        break;
      case ',':
        out += c;
        line();
        break;
      case ':':
        out += ": ";
        break;
      default:
        in_string = c == '"';
        out += c;
    }
  }
  return out;
}

/// What the server does but for the normalisation: for comparison with other tools, that keep what it drops.
result<std::string> convert_only(envelope::raw_chunk const& chunk) {
  profile::expand_limits const lim;
  auto const document = profile::json_document::parse(chunk.metadata, lim.max_json_depth);
  if (!document) return document.error();
  auto header = profile::read_header(*document);
  if (!header) return header.error();
  auto const trace = perfetto_decode::decode(chunk.trace.bytes(), lim.decode);
  if (!trace) return profile::refusal_of(trace.error());
  profile::convert_counts counts;
  auto const done = profile::convert(*trace, profile::limits_after(*trace, lim), *header, counts);
  if (!done) return done.error();
  std::ranges::stable_sort(header->samples, {}, &profile::sample_v2::sample::time);
  return profile::write_json(*header, lim.max_profile_size);
}

std::string platform_in(std::string const& metadata) {
  envelope::padded_copy const text(metadata);
  auto const document = profile::json_document::parse(text.view(), profile::expand_limits{}.max_json_depth);
  return document ? profile::look_at(*document).platform : std::string();
}

}  // namespace

int cmd_decode(decode_arguments const& a) {
  auto const trace = read_input(a.file);
  if (!trace) return 1;
  auto metadata =
      std::optional<std::string>(demo_metadata(random_hex32(), a.platform.empty() ? "android" : a.platform));
  if (!a.metadata.empty()) metadata = read_input(a.metadata);
  if (!metadata) return 1;
  envelope::padded_copy const metadata_copy(*metadata), trace_copy(*trace);
  envelope::raw_chunk chunk;
  chunk.shape = envelope::chunk_shape::perfetto;
  chunk.platform = a.platform.empty() ? platform_in(*metadata) : a.platform;
  chunk.metadata = metadata_copy.view();
  chunk.trace = trace_copy.view();
  auto const payload = [&]() -> result<std::string> {
    if (!a.normalize) return convert_only(chunk);
    auto done = profile::expand(chunk, {});
    if (!done.value) return done.value.error();
    return std::move(done.value->text);
  }();
  if (!payload) {
    auto const& e = payload.error();
    if (a.json) {
      nlohmann::ordered_json const out{{"error", rejection_json(e)}};
      std::cout << out.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) << '\n';
      return 1;
    }
    return fail(a.file + " is rejected: " + std::string(row_of(to_reason(e.code)).name) + ", " + e.cause +
                ": " + e.what);
  }
  std::cout << (a.pretty ? pretty(*payload) : *payload) << '\n';
  return 0;
}

int cmd_top(top_arguments const& a) {
  auto const text = read_input(a.file);
  if (!text) return 1;
  envelope::padded_copy const copy(*text);
  auto const summary = profile::summarise(copy.view(), a.count);
  if (!summary) return fail(a.file + " is no Sample v2 profile: " + summary.error().what);
  auto const& s = *summary;
  std::cout << std::fixed << std::setprecision(2) << s.samples << " samples of " << s.threads
            << " threads over " << s.span_seconds << " s; " << s.frames << " frames, " << s.stacks
            << " stacks\n\n";
  constexpr double bar_width = 30;
  double const longest = s.hottest.empty() || s.hottest[0].share <= 0 ? 1 : s.hottest[0].share;
  for (auto const& f : s.hottest) {
    auto const bar = static_cast<std::size_t>(std::lround(bar_width * f.share / longest));
    std::cout << std::right << std::setw(6) << std::setprecision(1) << 100 * f.share << "%  " << std::setw(8)
              << std::setprecision(3) << f.seconds << " s  " << std::left
              << std::setw(static_cast<int>(bar_width)) << std::string(bar, '#') << "  " << printable(f.name);
    if (!f.package.empty()) std::cout << "  [" << printable(f.package) << ']';
    std::cout << '\n';
  }
  return 0;
}

}  // namespace profile_relay::server
