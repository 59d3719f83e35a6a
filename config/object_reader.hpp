#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "config/document.hpp"
#include "config/error.hpp"

namespace profile_relay::config {

/// Takes typed values out of a JSON object and remembers the first that has the wrong type, so that a caller
/// reads all it wants and asks once. A key that is absent or null is simply not there.
class object_reader {
 public:
  /// `failure` is shared by the readers of one file; `prefix` is "" or ends with a dot.
  object_reader(std::string const& file, std::string prefix, node const& object,
                std::optional<error>& failure)
      : file_(file), prefix_(std::move(prefix)), object_(object), failure_(failure) {}

  std::optional<std::string> text(std::string_view key);
  std::optional<bool> boolean(std::string_view key);
  std::optional<std::uint64_t> number(std::string_view key,
                                      std::uint64_t max = std::numeric_limits<std::uint64_t>::max());
  node const* list(std::string_view key) { return expect(key, node::kind::list); }
  node const* object(std::string_view key) { return expect(key, node::kind::map); }
  /// Null pointer, without complaint, when absent or null.
  node const* any(std::string_view key) const;

  void fail(errc code, int line, std::string_view key, std::string what);

 private:
  node const* expect(std::string_view key, node::kind wanted);

  std::string const& file_;
  std::string prefix_;
  node const& object_;
  std::optional<error>& failure_;
};

}  // namespace profile_relay::config
