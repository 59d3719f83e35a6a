#include <algorithm>
#include <array>
#include <charconv>

#include "profile/ids.hpp"
#include "profile/read_json.hpp"

namespace profile_relay::profile {

namespace dom = simdjson::dom;
using sample_v2::image;

namespace {

enum key : unsigned { code_file, debug_id, type, image_addr, image_vmaddr, image_size, uuid };

/// Those that Relay's parser and Symbolicator know.
constexpr std::array<std::string_view, 10> types{"symbolic", "macho", "sourcemap", "proguard",  "jvm",
                                                 "elf",      "apple", "pe",        "pe_dotnet", "wasm"};

bool read_type(dom::element e, std::string_view& to, json_fault& fault) {
  if (!read_value(e, to, fault)) return false;
  return std::find(types.begin(), types.end(), to) != types.end() ||
         fault.set("unknown_image_type",
                   "must be one of symbolic, macho, sourcemap, proguard, jvm, elf, apple, pe, "
                   "pe_dotnet, wasm");
}

/// A number, or a numeric string as old SDKs send it.
bool read_size(dom::element e, std::uint64_t& to, json_fault& fault) {
  if (e.is_null()) return true;
  std::string_view text;
  if (!e.get(text)) {
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), to);
    if (ec == std::errc{} && end == text.data() + text.size()) return true;
  } else if (!e.get(to)) {
    return true;
  }
  return fault.set("wrong_type", "must be a non-negative integer or a string of digits");
}

/// Keeps the client's own text if it is canonical already.
template <class Canonical>
bool read_uuid_like(dom::element e, Canonical canonical, sample_v2::chunk& owner,
                    sample_v2::optional_text& to, json_fault& fault) {
  if (!read_value(e, to, fault) || !to) return to.has_value() || e.is_null();
  auto text = canonical(*to);
  if (!text) return fault.set("bad_id", "must be a UUID");
  if (*text != *to) to = owner.own(std::move(*text));
  return true;
}

/// Source: sample_v2.schema.json, DebugImage.
bool has_required(image const& i, seen_keys const& seen, json_fault& fault) {
  if (!seen.has(type)) return fault.set("missing_key", "is required") || fault.in("type");
  const bool native = i.type == "symbolic" || i.type == "macho" || i.type == "elf";
  if (native && !i.debug_id)
    return fault.set("missing_key", "is required for symbolic, macho and elf") || fault.in("debug_id");
  if (native && !i.image_addr)
    return fault.set("missing_key", "is required for symbolic, macho and elf") || fault.in("image_addr");
  if (i.type == "proguard" && !i.uuid)
    return fault.set("missing_key", "is required for proguard") || fault.in("uuid");
  return true;
}

bool read_image(dom::element e, sample_v2::chunk& owner, json_fault& fault) {
  dom::object object;
  if (!read_value(e, object, fault)) return false;
  image i;
  seen_keys seen;
  for (const auto& [name, value] : object) {
    bool ok = true;
    if (name == "code_file" || name == "name") {
      ok = seen.once(code_file, fault) && read_value(value, i.code_file, fault);
    } else if (name == "debug_id" || name == "id") {
      ok = seen.once(debug_id, fault) && read_uuid_like(value, canonical_debug_id, owner, i.debug_id, fault);
    } else if (name == "type") {
      ok = seen.once(type, fault) && read_type(value, i.type, fault);
    } else if (name == "image_addr") {
      ok = seen.once(image_addr, fault) && read_address(value, i.image_addr, fault);
    } else if (name == "image_vmaddr") {
      ok = seen.once(image_vmaddr, fault) && read_address(value, i.image_vmaddr, fault);
    } else if (name == "image_size") {
      ok = seen.once(image_size, fault) && read_size(value, i.image_size, fault);
    } else if (name == "uuid" || name == "build_id") {
      ok = seen.once(uuid, fault) && read_uuid_like(value, canonical_uuid, owner, i.uuid, fault);
    }
    if (!ok) return fault.in(name);
  }
  if (!has_required(i, seen, fault)) return false;
  owner.images.push_back(i);
  return true;
}

}  // namespace

bool read_images(dom::element debug_meta, sample_v2::chunk& to, json_fault& fault) {
  if (debug_meta.is_null()) return true;
  dom::object object;
  if (!read_value(debug_meta, object, fault)) return false;
  seen_keys seen;
  for (const auto& [name, value] : object) {
    if (name != "images" || value.is_null()) continue;
    dom::array images;
    if (!seen.once(0, fault) || !read_value(value, images, fault)) return fault.in("images");
    std::size_t n = 0;
    for (const dom::element e : images) {
      if (!read_image(e, to, fault)) return fault.in(n) || fault.in("images");
      ++n;
    }
  }
  return true;
}

}  // namespace profile_relay::profile
