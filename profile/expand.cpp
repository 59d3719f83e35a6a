#include "profile/expand.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "envelope/wire_text.hpp"
#include "perfetto_decode/decoded_trace.hpp"
#include "profile/convert.hpp"
#include "profile/json_document.hpp"
#include "profile/normalise.hpp"
#include "profile/read_json.hpp"

namespace profile_relay::profile {

using envelope::chunk_shape;
using sample_v2::chunk;

namespace {

using outcome_of_step = boost::system::result<void, error>;

/// The steps for one chunk. What is known of it by the time it is refused stays in `out_`.
class expansion {
 public:
  expansion(envelope::raw_chunk const& in, expand_limits const& lim, bool address_blocked, text_place place,
            expand_outcome& out)
      : in_(in), lim_(lim), address_blocked_(address_blocked), place_(std::move(place)), out_(out) {}

  result<expanded> run();

 private:
  outcome_of_step check_item();
  result<json_document> parse_bounded() const;
  outcome_of_step parse();
  outcome_of_step check_version();
  outcome_of_step read_the_header();
  outcome_of_step check_platform();
  outcome_of_step read_or_convert();
  outcome_of_step decode_and_convert();
  outcome_of_step filter();
  result<expanded> finish();

  bool perfetto() const { return in_.shape == chunk_shape::perfetto; }
  std::string raw_content_type() const;

  envelope::raw_chunk const& in_;
  expand_limits const& lim_;
  bool address_blocked_;
  text_place place_;
  expand_outcome& out_;
  std::optional<json_document> doc_;
  routing_facts facts_;
  perfetto_decode::decoded_trace trace_;  // before chunk_, which refers to it
  chunk chunk_;
};

outcome_of_step expansion::check_item() {
  if (in_.shape == chunk_shape::invalid_split)
    return error{errc::invalid_sampled_profile, "invalid_split",
                 "meta_length does not split the payload of a Perfetto item into metadata and trace", 0};
  if (in_.shape == chunk_shape::unknown_pair)
    return error{errc::platform_not_supported, "unknown_pair",
                 "nothing calls the trace of this profile_chunk_data item a Perfetto trace", 0};
  // Where the sum of JSON and trace may be larger, each alone may not (contract 3.8).
  for (auto const& part : {in_.metadata, in_.trace})
    if (part.size() > lim_.max_profile_size)
      return error{errc::exceed_size_limit, "item_too_large",
                   "larger than limits.max_profile_size, " + std::to_string(lim_.max_profile_size) + " bytes",
                   0};
  return {};
}

result<json_document> expansion::parse_bounded() const {
  if (perfetto() && in_.metadata.size() > lim_.max_metadata)
    return error{errc::invalid_json, "metadata_too_large",
                 "the metadata is larger than " + std::to_string(lim_.max_metadata) + " bytes", 0};
  return json_document::parse(in_.metadata, lim_.max_json_depth);
}

/// C1, and the syntax part of C2. A document that parses has told its ids even if C1 refuses the item.
outcome_of_step expansion::parse() {
  auto doc = parse_bounded();
  if (doc) {
    doc_ = std::move(*doc);
    facts_ = look_at(*doc_);
    out_.chunk_id = facts_.chunk_id;
    if (!in_.platform) out_.platform = facts_.platform;
  }
  if (perfetto() && !in_.platform)
    return error{errc::invalid_profile_type, "platform_missing",
                 "platform: the header of a Perfetto item must name it", 0};
  if (!doc) return std::move(doc).error();
  return {};
}

/// C6 and C8: before anything else of the document is held against it.
outcome_of_step expansion::check_version() {
  if (perfetto()) return {};
  if (facts_.android_trace)
    return error{errc::platform_not_supported, "android_trace_chunk",
                 "sampled_profile: legacy Android trace chunks are not served here", 0};
  if (facts_.other_version)
    return error{errc::platform_not_supported, "version_not_supported", R"(version: only "2" is served here)",
                 0};
  return {};
}

outcome_of_step expansion::read_the_header() {
  auto header = read_header(*doc_);
  if (!header) return std::move(header).error();
  chunk_ = std::move(*header);
  out_.notes.client_sdk_missing = !chunk_.sdk;
  return {};
}

/// C3 and C4.
outcome_of_step expansion::check_platform() {
  if (!in_.platform) {
    out_.notes.platform_from_payload = true;
    return {};
  }
  if (*in_.platform == chunk_.platform) return {};
  return error{errc::invalid_profile_type, "platform_mismatch",
               "platform: the item header and the payload must name the same one", 0};
}

outcome_of_step expansion::decode_and_convert() {
  auto decoded = perfetto_decode::decode(in_.trace.bytes(), lim_.decode);
  if (!decoded) return refusal_of(decoded.error());
  trace_ = std::move(*decoded);
  auto& notes = out_.notes;
  notes.has_decode_counts = true;
  notes.decode = trace_.counts;
  notes.sample_records = trace_.sample_records;

  convert_counts counts;
  auto done = convert(trace_, limits_after(trace_, lim_), chunk_, counts);
  notes.decode.add(perfetto_decode::counter::image_without_range, counts.image_without_range);
  notes.decode.add(perfetto_decode::counter::image_without_build_id, counts.image_without_build_id);
  notes.empty_stacks = counts.empty_stacks;
  notes.unplaced_samples = counts.unplaced_samples;
  notes.foreign_process_samples = counts.foreign_process_samples;
  return done;
}

outcome_of_step expansion::read_or_convert() {
  const bool convert_trace = perfetto() && !holds_profile(*doc_);
  if (convert_trace) return decode_and_convert();
  out_.notes.client_profile_kept = perfetto();  // C5
  return read_profile(*doc_, {lim_.max_json_depth, lim_.decode.frames}, chunk_);
}

outcome_of_step expansion::filter() {
  if (!address_blocked_) return {};
  return error{errc::filtered_ip_address, "ip_address",
               "the client's address is in config.filterSettings.clientIps of the project", 0};
}

std::string expansion::raw_content_type() const {
  const auto own = chunk_.content_type.text();
  const bool names_perfetto =
      envelope::iequals(own, "perfetto") || envelope::iequals(own, envelope::perfetto_mime);
  return std::string(names_perfetto ? own : envelope::perfetto_mime);
}

result<expanded> expansion::finish() {
  std::uint64_t dropped = 0;
  const auto normal = normalise(chunk_, dropped);
  out_.notes.decode.add(perfetto_decode::counter::single_sample_thread, dropped);
  if (!normal) return normal.error();
  const auto begin = place_.before.size();
  auto text = write_json(chunk_, lim_.max_profile_size, std::move(place_));
  if (!text) return std::move(text).error();
  out_.notes.emitted_samples = chunk_.samples.size();

  expanded e;
  e.chunk_id = sample_v2::text_of(chunk_.chunk_id);
  e.profiler_id = sample_v2::text_of(chunk_.profiler_id);
  e.platform = chunk_.platform;
  e.release = chunk_.release.text();
  e.environment = chunk_.environment.text();
  e.text = std::move(*text);
  e.payload_begin = begin;
  if (perfetto()) {
    e.raw_trace = in_.trace.bytes();
    e.raw_content_type = raw_content_type();
  }
  return e;
}

result<expanded> expansion::run() {
  for (const auto step :
       {&expansion::check_item, &expansion::parse, &expansion::check_version, &expansion::read_the_header,
        &expansion::check_platform, &expansion::read_or_convert, &expansion::filter})
    if (auto ok = (this->*step)(); !ok) return std::move(ok).error();
  return finish();
}

}  // namespace

error refusal_of(perfetto_decode::error const& e) {
  if (perfetto_decode::is_limit(e.code)) return {errc::exceed_size_limit, "trace_limit", e.what, e.offset};
  return {errc::invalid_sampled_profile, "trace_unreadable", e.what, e.offset};
}

convert_limits limits_after(perfetto_decode::decoded_trace const& trace, expand_limits const& lim) {
  const auto budget = lim.decode.working_bytes + lim.decode.result_bytes;
  return {lim.max_profile_size, lim.decode.frames, budget - std::min(budget, trace.held_bytes)};
}

expand_outcome expand(envelope::raw_chunk const& in, expand_limits const& lim, bool address_blocked,
                      text_place place) {
  expand_outcome out{error{errc::invalid_json, "", "", 0}, {}, {}, in.platform.value_or("")};
  out.value = expansion(in, lim, address_blocked, std::move(place), out).run();
  return out;
}

}  // namespace profile_relay::profile
