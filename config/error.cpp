#include "config/error.hpp"

namespace profile_relay::config {

std::string error::to_string() const {
  std::string out = file;
  if (line > 0 && !file.empty()) out += ':' + std::to_string(line);
  if (!out.empty()) out += ": ";
  if (!key.empty()) out += key + ": ";
  return out + what;
}

}  // namespace profile_relay::config
