#include "sdk/trace/symbol_table.hpp"

#include <fcntl.h>
#include <gelf.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <string_view>

namespace profile_relay::sdk {
namespace {

struct file_handle {
  int fd;
  explicit file_handle(std::string const& path) : fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  file_handle(file_handle const&) = delete;
  file_handle& operator=(file_handle const&) = delete;
  ~file_handle() {
    if (fd >= 0) ::close(fd);
  }
};

struct elf_end {
  void operator()(Elf* elf) const { ::elf_end(elf); }
};
using elf_handle = std::unique_ptr<Elf, elf_end>;

/// Says whether a file is still the one that was read.
struct file_identity {
  dev_t device = 0;
  ino_t inode = 0;
  off_t size = 0;
  time_t seconds = 0;
  long nanoseconds = 0;

  explicit file_identity(int fd) {
    struct stat s {};
    if (::fstat(fd, &s) != 0) return;
    device = s.st_dev, inode = s.st_ino, size = s.st_size;
    seconds = s.st_mtim.tv_sec, nanoseconds = s.st_mtim.tv_nsec;
  }
  bool operator==(file_identity const&) const = default;
};

constexpr std::size_t longest_symbol = 8'192;

class table_of_file final : public symbol_table {
 public:
  table_of_file(std::string path, file_identity identity) : path_(std::move(path)), identity_(identity) {}

 private:
  // The file is opened anew for each name: a kept descriptor would be one more thing that a host, or a fork, can close.
  std::string text_at(std::uint64_t offset) const override {
    file_handle const file(path_);
    if (file.fd < 0 || file_identity(file.fd) != identity_) return {};
    std::string text(256, '\0');
    for (;; text.resize(text.size() * 2)) {
      auto const n = ::pread(file.fd, text.data(), text.size(), static_cast<off_t>(offset));
      if (n <= 0) return {};
      auto const end = text.find('\0');
      if (end != std::string::npos && end < static_cast<std::size_t>(n)) return text.substr(0, end);
      if (static_cast<std::size_t>(n) < text.size() || text.size() >= longest_symbol) return {};
    }
  }

  std::string path_;
  file_identity identity_;
};

class table_of_memory final : public symbol_table {
 public:
  table_of_memory(char const* image, std::size_t size) : image_(image, size) {}

 private:
  std::string text_at(std::uint64_t offset) const override {
    auto const rest = image_.substr(std::min<std::size_t>(offset, image_.size()));
    return std::string(rest.substr(0, std::min(rest.find('\0'), longest_symbol)));
  }

  std::string_view image_;
};

std::string build_id_of(Elf* elf) {
  for (Elf_Scn* section = nullptr; (section = ::elf_nextscn(elf, section)) != nullptr;) {
    GElf_Shdr head;
    if (::gelf_getshdr(section, &head) == nullptr || head.sh_type != SHT_NOTE) continue;
    Elf_Data* const data = ::elf_getdata(section, nullptr);
    if (data == nullptr) continue;
    GElf_Nhdr note;
    std::size_t name = 0, value = 0;
    for (std::size_t at = 0; (at = ::gelf_getnote(data, at, &note, &name, &value)) > 0;) {
      auto const* const bytes = static_cast<char const*>(data->d_buf);
      if (note.n_type == NT_GNU_BUILD_ID &&
          std::string_view(bytes + name, note.n_namesz) == std::string_view("GNU\0", 4))
        return {bytes + value, note.n_descsz};
    }
  }
  return {};
}

Elf_Scn* section_of(Elf* elf, GElf_Word type, GElf_Shdr& head) {
  for (Elf_Scn* section = nullptr; (section = ::elf_nextscn(elf, section)) != nullptr;)
    if (::gelf_getshdr(section, &head) != nullptr && head.sh_type == type) return section;
  return nullptr;
}

}  // namespace

struct symbol_reader {
  static bool fill(symbol_table& out, Elf* elf, std::size_t most) {
    GElf_Shdr head;
    Elf_Scn* section = section_of(elf, SHT_SYMTAB, head);
    if (section == nullptr) section = section_of(elf, SHT_DYNSYM, head);
    if (section == nullptr || head.sh_entsize == 0) return false;
    auto const count = head.sh_size / head.sh_entsize;
    // Before it is read: most entries are functions, or a name of a section or a file.
    if (count / 4 > most) return false;
    GElf_Shdr strings;
    Elf_Data* const data = ::elf_getdata(section, nullptr);
    if (data == nullptr || ::gelf_getshdr(::elf_getscn(elf, head.sh_link), &strings) == nullptr) return false;
    out.strings_ = strings.sh_offset;
    out.strings_size_ = strings.sh_size;
    auto& list = out.functions_;
    for (std::size_t i = 0; i < count; ++i) {
      GElf_Sym s;
      if (::gelf_getsym(data, static_cast<int>(i), &s) == nullptr) continue;
      auto const type = GELF_ST_TYPE(s.st_info);
      if ((type != STT_FUNC && type != STT_GNU_IFUNC) || s.st_shndx == SHN_UNDEF || s.st_value == 0) continue;
      if (list.size() == most) return false;
      auto const size = std::min<std::uint64_t>(s.st_size, std::numeric_limits<std::uint32_t>::max());
      list.push_back({s.st_value, static_cast<std::uint32_t>(size), s.st_name});
    }
    // Of several names of one function the one with the largest size, then the first in the file.
    std::stable_sort(list.begin(), list.end(), [](auto const& a, auto const& b) {
      return a.address != b.address ? a.address < b.address : a.size > b.size;
    });
    auto const last = std::unique(list.begin(), list.end(),
                                  [](auto const& a, auto const& b) { return a.address == b.address; });
    list.erase(last, list.end());
    list.shrink_to_fit();
    return true;
  }
};

std::string symbol_table::name_at(std::uint64_t address) const {
  auto const after = std::upper_bound(functions_.begin(), functions_.end(), address,
                                      [](std::uint64_t a, function const& f) { return a < f.address; });
  if (after == functions_.begin()) return {};
  auto const& f = *(after - 1);
  if ((f.size != 0 && address - f.address >= f.size) || f.name >= strings_size_) return {};
  return text_at(strings_ + f.name);
}

std::unique_ptr<symbol_table> read_symbols(std::string const& file, std::string const& build_id,
                                           std::size_t most) {
  file_handle const handle(file);
  if (handle.fd < 0 || ::elf_version(EV_CURRENT) == EV_NONE) return nullptr;
  elf_handle const elf(::elf_begin(handle.fd, ELF_C_READ, nullptr));
  if (elf == nullptr || ::elf_kind(elf.get()) != ELF_K_ELF || build_id_of(elf.get()) != build_id)
    return nullptr;
  auto out = std::make_unique<table_of_file>(file, file_identity(handle.fd));
  if (!symbol_reader::fill(*out, elf.get(), most)) return nullptr;
  return out;
}

std::unique_ptr<symbol_table> read_symbols(char const* image, std::size_t size, std::size_t most) {
  if (::elf_version(EV_CURRENT) == EV_NONE) return nullptr;
  // It does not write to what it is given, in spite of its type.
  elf_handle const elf(::elf_memory(const_cast<char*>(image), size));
  if (elf == nullptr || ::elf_kind(elf.get()) != ELF_K_ELF) return nullptr;
  auto out = std::make_unique<table_of_memory>(image, size);
  if (!symbol_reader::fill(*out, elf.get(), most)) return nullptr;
  return out;
}

}  // namespace profile_relay::sdk
