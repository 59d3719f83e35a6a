#include "sdk/client/option_table.hpp"

#include <array>
#include <fstream>

#include "sdk/client/check_options.hpp"
#include "sdk/transport/dsn.hpp"

namespace profile_relay::sdk {
namespace {

/// NaN fails every comparison.
std::string rate_refused(std::optional<double> const& rate) {
  if (!rate || (*rate >= 0 && *rate <= 1)) return {};
  return std::to_string(*rate) + " is not a number from 0 to 1";
}

std::string text_refused(std::string const& text) {
  if (text.size() > 200) return "longer than 200 bytes";
  for (char const c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return "contains a control character";
  return {};
}

/// Only a regular file is opened: a pipe would wait for its other end.
std::string file_refused(std::filesystem::path const& path) {
  if (path.empty()) return {};
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored)) return path.string() + " is no regular file";
  std::ifstream file(path, std::ios::binary);
  if (file.peek() != std::ifstream::traits_type::eof()) return {};
  return path.string() + " is empty or cannot be read";
}

constexpr std::array<option_row, 15> rows = {{
    {"dsn", "string", "required",
     "Where chunks go: `https://KEY@HOST/PROJECT`. Refused: another scheme, no key, a project that is no "
     "number.",
     [](profiler_options const& o) { return parse_dsn(o.dsn).error; }},
    {"release", "string", "empty: not sent",
     "Release of the application. Refused: over 200 bytes, control characters.",
     [](profiler_options const& o) { return text_refused(o.release); }},
    {"environment", "string", "empty: not sent",
     "Environment of the application. Refused: over 200 bytes, control characters.",
     [](profiler_options const& o) { return text_refused(o.environment); }},
    {"profile_session_sample_rate", "optional<double>", "unset: never",
     "Share of sessions that are profiled, drawn once, in the constructor (R8). Refused: NaN, outside 0 to "
     "1.",
     [](profiler_options const& o) { return rate_refused(o.profile_session_sample_rate); }},
    {"lifecycle", "profile_lifecycle", "manual",
     "`manual`: start_profiler() and stop_profiler(). `trace`: sampled root spans (R12).", nullptr},
    {"start_profiler_on_app_start", "bool", "false",
     "The profiler starts in the constructor if the last launch decided so; needs `state_dir` (R18).",
     nullptr},
    {"traces_sample_rate", "optional<double>", "unset: tracing is off",
     "Share of root spans that are sampled; used in the `trace` lifecycle only. Refused: NaN, outside 0 to "
     "1.",
     [](profiler_options const& o) { return rate_refused(o.traces_sample_rate); }},
    {"traces_sampler", "double(root_span_info)", "none",
     "The same for one root span; wins over `traces_sample_rate`. What it throws, NaN and values outside 0 "
     "to 1 count "
     "as 0.",
     nullptr},
    {"profiles_sample_rate", "optional<double>", "unset",
     "Of transaction profiling, which this client does not do: set, nothing is profiled (R11). Refused: NaN, "
     "outside 0 "
     "to 1.",
     [](profiler_options const& o) { return rate_refused(o.profiles_sample_rate); }},
    {"profiles_sampler", "double(root_span_info)", "none", "The same; never called (R11).", nullptr},
    {"state_dir", "path", "empty: no state",
     "Folder for the decision of the next launch (R18); made if it is missing. One for each application.",
     nullptr},
    {"ca_certs", "path", "empty: the system's",
     "PEM file of the authorities that are trusted, instead of the system's. Refused: no regular file, "
     "empty, not to be read.",
     [](profiler_options const& o) { return file_refused(o.ca_certs); }},
    {"walk", "stack_walk", "automatic",
     "How stacks are followed: `unwind_tables`, `frame_pointers` (cheaper; the whole process must be built "
     "with them), "
     "or by itself.",
     nullptr},
    {"debug", "bool", "false", "Says why a call does nothing, and what was in each chunk.", nullptr},
    {"log", "void(string const&)", "stderr", "Gets each line.", nullptr},
}};

}  // namespace

std::span<const option_row> option_table() { return rows; }

std::string option_page() {
  std::string page =
      "# Options of the profiling client\n\n"
      "Members of `profile_relay::profiler_options`. R numbers are rules of the profiling API "
      "([profiler.md](profiler.md)).\nThis page is generated: `build/dev/profiler-options-page > "
      "docs/profiler-options.md`.\n\n"
      "| option | type | default | what it does |\n|---|---|---|---|\n";
  for (auto const& row : rows)
    page += std::string("| `") + row.name + "` | `" + row.type + "` | " + row.standard + " | " +
            row.description + " |\n";
  return page;
}

void check_options(profiler_options const& options) {
  for (auto const& row : rows) {
    if (!row.refused) continue;
    auto const why = row.refused(options);
    if (!why.empty()) throw invalid_options(std::string(row.name) + ": " + why);
  }
}

}  // namespace profile_relay::sdk
