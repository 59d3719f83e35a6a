#pragma once

#include <boost/assert/source_location.hpp>
#include <boost/system/result.hpp>
#include <stdexcept>
#include <string>

namespace profile_relay::server {

/// Why delivery cannot start, or why the spool cannot be read: one sentence for the operator that names the
/// thing (path, property, topic) and what to do.
struct start_error {
  std::string what;
};

[[noreturn]] inline void throw_exception_from_error(start_error const& e, boost::source_location const&) {
  throw std::runtime_error(e.what);
}

template <class T>
using start_result = boost::system::result<T, start_error>;

}  // namespace profile_relay::server
