#include "profile/mapping_rules.hpp"

#include <algorithm>
#include <array>

namespace profile_relay::profile {
namespace {

/// Without leading slash, trailing " (deleted)" and enclosing brackets.
std::string_view base_of(std::string_view name) {
  constexpr std::string_view deleted = " (deleted)";
  auto base = package_of(name);
  if (base.ends_with(deleted)) base.remove_suffix(deleted.size());
  if (base.size() >= 2 && base.front() == '[' && base.back() == ']') base = base.substr(1, base.size() - 2);
  return base;
}

/// What follows the last dot of the file's name, dot included; "" if there is none.
std::string_view extension_of(std::string_view base) {
  const auto separator = base.find_last_of("/!");
  const auto leaf = separator == std::string_view::npos ? base : base.substr(separator + 1);
  const auto dot = leaf.rfind('.');
  return dot == std::string_view::npos ? std::string_view{} : leaf.substr(dot);
}

template <std::size_t N>
bool starts_with_any(std::string_view text, std::array<std::string_view, N> const& starts) {
  return std::any_of(starts.begin(), starts.end(), [text](auto s) { return text.starts_with(s); });
}

}  // namespace

std::string_view package_of(std::string_view mapping_name) {
  if (mapping_name.starts_with('/')) mapping_name.remove_prefix(1);
  return mapping_name;
}

bool holds_java(std::string_view mapping_name, bool has_build_id) {
  constexpr std::array<std::string_view, 2> jit{"memfd:jit-cache", "memfd:jit-zygote-cache"};
  constexpr std::array<std::string_view, 2> archives{".apk", ".jar"};
  constexpr std::array<std::string_view, 6> code{".dex", ".vdex", ".oat", ".odex", ".jar", ".apk"};
  const auto base = base_of(mapping_name);
  if (starts_with_any(base, jit) || base.find("jit-code-cache") != std::string_view::npos) return true;
  const auto extension = extension_of(base);  // row 6, ".so", is none of what follows
  if (has_build_id && starts_with_any(extension, archives)) return false;  // an ELF inside the archive
  return starts_with_any(extension, code);
}

bool is_app_library(std::string_view mapping_name) {
  constexpr std::array<std::string_view, 6> system{"lib", "lib64", "usr", "system", "vendor", "apex"};
  const auto path = package_of(mapping_name);
  if (path.empty() || path.front() == '[' || path == "kernel") return false;
  const auto first = path.substr(0, path.find('/'));
  return std::find(system.begin(), system.end(), first) == system.end();
}

mapping_traits traits_of(perfetto_decode::mapping const& m) {
  mapping_traits t;
  t.has_name = !m.name.empty();
  t.kernel = m.name == "/kernel";
  t.java = t.has_name && holds_java(m.name, !m.build_id.empty());
  return t;
}

frame_platform platform_of(perfetto_decode::frame const& f, std::string_view function, mapping_traits m) {
  if (f.kind == perfetto_decode::frame_kind::kernel || m.kernel)
    return frame_platform::native_without_address;
  if (function.empty()) return frame_platform::native;
  if (f.of_runtime && !m.has_name) return frame_platform::of_chunk;
  if (!m.has_name) return frame_platform::native_without_address;
  return m.java ? frame_platform::java : frame_platform::native;
}

java_name split_java(std::string_view name) {
  const auto end = std::min(name.find('('), name.size());
  const auto dot = name.substr(0, end).rfind('.');
  if (dot == std::string_view::npos || dot == 0 || dot + 1 == end) return {{}, name};
  return {name.substr(0, dot), name.substr(dot + 1)};
}

}  // namespace profile_relay::profile
