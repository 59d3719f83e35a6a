#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

namespace profile_relay::server {

/// Finds bodies in a spool's file without its trees: a damaged inner page hides all that hangs from it, while the
/// leaves are whole. Reads the main file only, not its log. A page may be left over from a record that is gone, so
/// ask only for keys that are known to be there; a body that comes back has its right sum.
class spool_page_scan {
 public:
  /// Looks at every page once.
  explicit spool_page_scan(std::filesystem::path const& database);

  std::optional<std::string> body(std::int64_t key);

 private:
  struct cell {
    std::int64_t key;
    std::uint32_t page;
    std::uint16_t at;
  };
  bool read_page(std::uint32_t number, std::string& page);
  std::optional<std::string> assemble(cell const& c);

  std::ifstream in_;
  std::uint64_t pages_ = 0;
  std::vector<cell> cells_;  // by key
};

}  // namespace profile_relay::server
