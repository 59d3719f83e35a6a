// What the dynamic loader has mapped into this process.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace profile_relay::sdk {

/// One loaded image as the loader describes it. Addresses are of this process.
struct loaded_image {
  std::uintptr_t start = 0;  ///< of its first segment, on a page
  std::uintptr_t end = 0;    ///< behind its last segment, on a page
  std::uintptr_t bias = 0;   ///< address of ELF virtual address 0
  std::string path;          ///< of the file; "[vdso]" for the kernel's
  std::string build_id;      ///< raw bytes of its note; empty if it has none

  bool operator==(loaded_image const&) const = default;
};

/// How often images came and went; when it is unchanged, so is the list of images.
struct loader_counts {
  std::uint64_t added = 0, removed = 0;

  bool operator==(loader_counts const&) const = default;
};

/// Cheap: a microsecond. Takes the loader's lock for as long, which no dlopen() holds while it runs constructors.
loader_counts count_loaded_images();

/// Every image that is loaded now, and the counts that belong to the list.
std::vector<loaded_image> list_loaded_images(loader_counts& counts);

}  // namespace profile_relay::sdk
