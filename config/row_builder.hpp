#pragma once

#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "config/option.hpp"

namespace profile_relay::config {

/// The words of a row; see `option`.
struct words {
  std::string description;
  std::string example;
  std::string when_unset = "";
  bool secret = false;
  bool live = false;
};

template <class T>
struct unwrap_optional {
  using type = T;
  static constexpr bool optional = false;
};
template <class T>
struct unwrap_optional<std::optional<T>> {
  using type = T;
  static constexpr bool optional = true;
};

/// Joins a key, a member of `settings` (a generic lambda returning a reference to it) and a codec.
/// A member that is an optional prints null while absent, and empty text (from `--set key=`) clears it.
template <class Field, class Codec>
option make_row(std::string key, Field field, Codec codec, words w) {
  using member = std::remove_cvref_t<decltype(field(std::declval<settings&>()))>;
  using traits = unwrap_optional<member>;
  static_assert(std::is_same_v<typename traits::type, typename Codec::value>);
  option row;
  row.key = std::move(key);
  row.kind = codec.kind();
  row.allowed = codec.allowed();
  row.description = std::move(w.description);
  row.example = std::move(w.example);
  row.when_unset = std::move(w.when_unset);
  row.secret = w.secret;
  row.live = w.live;
  row.structured = requires { Codec::structured; };
  row.set = [field, codec](settings& s, node const& in) -> verdict {
    if constexpr (traits::optional)
      if (in.is(node::kind::text) && in.scalar.empty()) {
        field(s).reset();
        return {};
      }
    typename Codec::value parsed{};
    if (auto refused = codec.parse(in, parsed)) return refused;
    field(s) = std::move(parsed);
    return {};
  };
  row.print = [field, codec](settings const& s) -> std::string {
    if constexpr (traits::optional)
      return field(s) ? codec.print(*field(s)) : std::string("null");
    else
      return codec.print(field(s));
  };
  return row;
}

}  // namespace profile_relay::config
