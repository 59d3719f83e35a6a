#include "sdk/trace/loaded_images.hpp"

#include <elf.h>
#include <link.h>
#include <pthread.h>
#include <sys/auxv.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstring>
#include <mutex>
#include <span>
#include <string_view>

namespace profile_relay::sdk {
namespace {

// glibc does not give the lock of dl_iterate_phdr() back to the child of a fork(): taken at that moment by the sampler's
// thread, the child's first dlopen() would hang. So a fork waits until we are out of it.
constinit std::mutex of_loader;

void keep_forks_out() {
  static std::once_flag once;
  std::call_once(once, [] {
    ::pthread_atfork([] { of_loader.lock(); }, [] { of_loader.unlock(); }, [] { of_loader.unlock(); });
  });
}

std::uintptr_t page_size() {
  static auto const size = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  return size;
}

/// The build id in a run of notes that the loader has mapped. Positions are aligned, not sizes: with 8, the name of a note
/// begins at 12 and its value at 16.
std::string build_id_in(std::string_view notes, std::size_t alignment) {
  auto const aligned = [&](std::size_t n) { return (n + alignment - 1) / alignment * alignment; };
  ElfW(Nhdr) head{};
  while (notes.size() >= sizeof head) {
    std::memcpy(&head, notes.data(), sizeof head);
    auto const value = aligned(sizeof head + head.n_namesz);
    if (value > notes.size() || head.n_descsz > notes.size() - value) return {};
    if (head.n_type == NT_GNU_BUILD_ID &&
        notes.substr(sizeof head, head.n_namesz) == std::string_view("GNU\0", 4))
      return std::string(notes.substr(value, head.n_descsz));
    notes.remove_prefix(std::min(notes.size(), aligned(value + head.n_descsz)));
  }
  return {};
}

std::string own_path() {
  char text[PATH_MAX];
  auto const n = ::readlink("/proc/self/exe", text, sizeof text);
  std::string_view path(text, n > 0 ? static_cast<std::size_t>(n) : 0);
  static constexpr std::string_view gone = " (deleted)";
  if (path.ends_with(gone)) path.remove_suffix(gone.size());
  return std::string(path);
}

struct listing {
  std::vector<loaded_image> images;
  loader_counts counts;
};

int add_image(dl_phdr_info* info, std::size_t, void* to) {
  auto& out = *static_cast<listing*>(to);
  out.counts = {info->dlpi_adds, info->dlpi_subs};
  loaded_image image;
  image.bias = info->dlpi_addr;
  image.start = UINTPTR_MAX;
  std::span const headers(info->dlpi_phdr, info->dlpi_phnum);
  for (auto const& p : headers) {
    if (p.p_type != PT_LOAD) continue;
    auto const begin = image.bias + p.p_vaddr;
    image.start = std::min(image.start, begin / page_size() * page_size());
    image.end = std::max(image.end, (begin + p.p_memsz + page_size() - 1) / page_size() * page_size());
  }
  // Notes that no segment loads are not in memory.
  auto const is_loaded = [&](auto const& note) {
    return std::any_of(headers.begin(), headers.end(), [&](auto const& p) {
      return p.p_type == PT_LOAD && (p.p_flags & PF_R) != 0 && note.p_vaddr >= p.p_vaddr &&
             note.p_vaddr + note.p_memsz <= p.p_vaddr + p.p_filesz;
    });
  };
  for (auto const& p : headers)
    if (p.p_type == PT_NOTE && image.build_id.empty() && is_loaded(p))
      image.build_id = build_id_in({reinterpret_cast<char const*>(image.bias + p.p_vaddr), p.p_memsz},
                                   p.p_align == 8 ? 8 : 4);
  if (image.start >= image.end) return 0;
  auto const* const name = info->dlpi_name;
  if (image.start == ::getauxval(AT_SYSINFO_EHDR))
    image.path = "[vdso]";
  else if (name == nullptr || *name == '\0')
    image.path = own_path();
  else
    image.path = name;
  out.images.push_back(std::move(image));
  return 0;
}

}  // namespace

loader_counts count_loaded_images() {
  keep_forks_out();
  loader_counts counts;
  std::lock_guard const lock(of_loader);
  ::dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t, void* to) {
        *static_cast<loader_counts*>(to) = {info->dlpi_adds, info->dlpi_subs};
        return 1;
      },
      &counts);
  return counts;
}

std::vector<loaded_image> list_loaded_images(loader_counts& counts) {
  keep_forks_out();
  listing out;
  {
    std::lock_guard const lock(of_loader);
    ::dl_iterate_phdr(add_image, &out);
  }
  counts = out.counts;
  return std::move(out.images);
}

}  // namespace profile_relay::sdk
