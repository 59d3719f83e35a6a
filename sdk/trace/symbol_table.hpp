// The functions of one ELF file, by address.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace profile_relay::sdk {

/// Where the functions of an image lie and where in its file their names are; the names themselves stay in the file, so a
/// table takes 16 bytes a function.
class symbol_table {
 public:
  virtual ~symbol_table() = default;
  symbol_table() = default;
  symbol_table(symbol_table const&) = delete;
  symbol_table& operator=(symbol_table const&) = delete;

  /// The raw name of the function around this ELF virtual address; empty when no function covers it, or when the file has
  /// changed since the table was read.
  [[nodiscard]] std::string name_at(std::uint64_t address) const;
  [[nodiscard]] std::size_t functions() const { return functions_.size(); }

 protected:
  friend struct symbol_reader;
  struct function {
    std::uint64_t address;
    std::uint32_t size;  // 0 = up to the next function
    std::uint32_t name;  // offset in the string table
  };
  [[nodiscard]] virtual std::string text_at(std::uint64_t offset) const = 0;

  std::vector<function> functions_;  // by address, one for each
  std::uint64_t strings_ = 0;        // where the string table begins
  std::uint64_t strings_size_ = 0;
};

/// Reads `.symtab` of the file, or `.dynsym` if it is stripped. Null when there is no such file, it is no ELF file, its
/// build id is not `build_id` (the file was replaced since it was loaded), or it has more than `most` functions.
std::unique_ptr<symbol_table> read_symbols(std::string const& file, std::string const& build_id,
                                           std::size_t most);

/// The same for an image whose whole file is in memory: the vdso.
std::unique_ptr<symbol_table> read_symbols(char const* image, std::size_t size, std::size_t most);

}  // namespace profile_relay::sdk
