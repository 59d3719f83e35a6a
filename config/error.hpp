#pragma once

#include <boost/assert/source_location.hpp>
#include <boost/system/result.hpp>
#include <cstdint>
#include <stdexcept>
#include <string>

namespace profile_relay::config {

enum class errc : std::uint8_t {
  unreadable = 1,      ///< the file cannot be read
  syntax,              ///< not YAML, or not JSON
  wrong_type,          ///< a known key with a value of another kind
  out_of_range,        ///< outside the option's bounds
  not_allowed,         ///< a value outside a fixed set, or a mode that is not served
  missing_variable,    ///< ${ENV} or ${file:path} that does not exist
  missing_value,       ///< a required key is absent
  not_a_project_file,  ///< a name in projects/ that is no project id: skipped with a warning, never a failure
};

/// One sentence for the operator, ready to print: names file, key, line and what is allowed.
struct error {
  errc code;
  std::string file;  ///< as given; empty for environment and command line
  int line = 0;      ///< 1-based, 0 = unknown
  std::string key;   ///< dotted; the variable's name for the environment
  std::string what;

  std::string to_string() const;  ///< "config.yml:12: limits.max_profile_size: ..."
};

[[noreturn]] inline void throw_exception_from_error(error const& e, boost::source_location const&) {
  throw std::runtime_error(e.to_string());
}

template <class T>
using result = boost::system::result<T, error>;

}  // namespace profile_relay::config
