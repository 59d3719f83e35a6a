#pragma once

#include <boost/system/result.hpp>
#include <cstddef>
#include <string>

#include "envelope/padded_view.hpp"
#include "profile/error.hpp"
#include "profile/json_document.hpp"
#include "profile/sample_v2.hpp"

/// Reads the JSON of a client: a whole Sample v2 chunk, or the metadata of a compound item, which is the same
/// document without its profile. Unknown keys are ignored. Source: contract 3.4, kafka-and-consumers 4, 7
/// and 8.
namespace profile_relay::profile {

struct read_limits {
  std::size_t max_depth = 64;
  /// A frame costs 40 times its shortest JSON, `{},`; more than this is `exceed_size_limit`.
  std::size_t max_frames = 1'000'000;
};

/// What decides where a document goes, before anything in it is checked. Wrong types count as absent.
struct routing_facts {
  std::string chunk_id;  ///< 32 lowercase hex; "" if there is no valid one
  std::string platform;  ///< "" if there is none
  /// C6, C8: a legacy Android trace chunk, or a version (or its absence) that names no format served here.
  /// A version that is no string is not among them: such a document is `invalid_json`.
  bool android_trace = false;
  bool other_version = false;
};
routing_facts look_at(json_document const& doc);

/// Everything but `profile`. Refuses a missing or malformed id, platform or version, and images or
/// measurements that no consumer could read.
result<sample_v2::chunk> read_header(json_document const& doc);

/// C5: true if `profile` holds samples, stacks or frames (or something that is none of what it should be).
bool holds_profile(json_document const& doc);

/// Reads `profile` into `to`. Metadata of threads without a sample is not kept.
/// Ids out of range are left for `normalise`, as Relay does.
boost::system::result<void, error> read_profile(json_document const& doc, read_limits const& lim,
                                                sample_v2::chunk& to);

/// Header and profile.
result<sample_v2::chunk> read_json(json_document const& doc, read_limits const& lim);
result<sample_v2::chunk> read_json(envelope::padded_view text, read_limits const& lim = {});

// For read_header only.
bool read_images(simdjson::dom::element debug_meta, sample_v2::chunk& to, json_fault& fault);
bool read_measurements(simdjson::dom::element e, sample_v2::chunk& to, json_fault& fault);

}  // namespace profile_relay::profile
