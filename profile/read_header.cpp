#include "profile/ids.hpp"
#include "profile/read_json.hpp"

namespace profile_relay::profile {

namespace dom = simdjson::dom;
using sample_v2::chunk;

namespace {

enum key : unsigned {
  chunk_id,
  profiler_id,
  platform,
  version,
  release,
  environment,
  content_type,
  client_sdk,
  debug_meta,
  measurements
};

bool read_id(dom::element e, sample_v2::hex_id& to, json_fault& fault) {
  std::string_view text;
  if (!read_value(e, text, fault)) return false;
  const auto id = parse_hex_id(text);
  if (!id) return fault.set("bad_id", "must be 32 hex digits");
  to = *id;
  return true;
}

bool read_platform(dom::element e, std::string_view& to, json_fault& fault) {
  return read_value(e, to, fault) && (!to.empty() || fault.set("empty_platform", "must not be empty"));
}

bool read_version(dom::element e, json_fault& fault) {
  std::string_view text;
  return read_value(e, text, fault) && (text == "2" || fault.set("wrong_version", R"(must be "2")"));
}

bool read_sdk(dom::element e, chunk& to, json_fault& fault) {
  if (e.is_null()) return true;
  dom::object object;
  if (!read_value(e, object, fault)) return false;
  sample_v2::client_sdk sdk;
  seen_keys seen;
  for (const auto& [name, value] : object) {
    bool ok = true;
    if (name == "name") {
      ok = seen.once(0, fault) && read_value(value, sdk.name, fault);
    } else if (name == "version") {
      ok = seen.once(1, fault) && read_value(value, sdk.version, fault);
    }
    if (!ok) return fault.in(name);
  }
  if (!seen.has(0) || !seen.has(1)) return fault.set("missing_key", "must have a name and a version");
  to.sdk = sdk;
  return true;
}

bool read_fields(dom::object root, chunk& to, json_fault& fault) {
  seen_keys seen;
  for (const auto& [name, value] : root) {
    bool ok = true;
    if (name == "chunk_id") {
      ok = seen.once(chunk_id, fault) && read_id(value, to.chunk_id, fault);
    } else if (name == "profiler_id") {
      ok = seen.once(profiler_id, fault) && read_id(value, to.profiler_id, fault);
    } else if (name == "platform") {
      ok = seen.once(platform, fault) && read_platform(value, to.platform, fault);
    } else if (name == "version") {
      ok = seen.once(version, fault) && read_version(value, fault);
    } else if (name == "release") {
      ok = seen.once(release, fault) && read_value(value, to.release, fault);
    } else if (name == "environment") {
      ok = seen.once(environment, fault) && read_value(value, to.environment, fault);
    } else if (name == "content_type") {
      ok = seen.once(content_type, fault) && read_value(value, to.content_type, fault);
    } else if (name == "client_sdk") {
      ok = seen.once(client_sdk, fault) && read_sdk(value, to, fault);
    } else if (name == "debug_meta") {
      ok = seen.once(debug_meta, fault) && read_images(value, to, fault);
    } else if (name == "measurements") {
      ok = seen.once(measurements, fault) && read_measurements(value, to, fault);
    }
    if (!ok) return fault.in(name);
  }
  constexpr std::string_view required[] = {"chunk_id", "profiler_id", "platform", "version"};
  for (unsigned bit = chunk_id; bit <= version; ++bit)
    if (!seen.has(bit)) return fault.set("missing_key", "is required") || fault.in(required[bit]);
  return true;
}

}  // namespace

routing_facts look_at(json_document const& doc) {
  routing_facts facts;
  bool sampled_profile = false, has_version = false;
  std::string_view version_text;
  for (const auto& [name, value] : doc.root()) {
    std::string_view text;
    if (name == "chunk_id" && !value.get(text)) {
      if (const auto id = parse_hex_id(text)) facts.chunk_id = sample_v2::text_of(*id);
    } else if (name == "platform" && !value.get(text)) {
      facts.platform = text;
    } else if (name == "version" && !value.is_null()) {
      has_version = true;
      if (value.get(version_text)) version_text = "2";  // read_header refuses it for its type
    } else if (name == "sampled_profile") {
      sampled_profile = !value.is_null();
    }
  }
  facts.android_trace = sampled_profile && facts.platform == "android" &&
                        (version_text == "2" || version_text == "2.android-trace");
  facts.other_version = !facts.android_trace && (!has_version || version_text != "2");
  return facts;
}

result<chunk> read_header(json_document const& doc) {
  chunk to;
  to.storage = doc.storage();
  json_fault fault;
  if (!read_fields(doc.root(), to, fault)) return fault.to_error();
  return to;
}

}  // namespace profile_relay::profile
