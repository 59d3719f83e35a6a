#include "sdk/sampler/thread_list.hpp"

#include <sys/stat.h>

#include <charconv>
#include <cstring>

namespace profile_relay::sdk {

thread_list::thread_list() : folder_(::opendir("/proc/self/task")) {}

std::vector<std::int32_t> const& thread_list::read(std::int32_t except) {
  struct stat now {};
  ::fstat(::dirfd(folder_.get()), &now);
  if (now.st_nlink == links_) return tids_;
  links_ = now.st_nlink;
  tids_.clear();
  ::rewinddir(folder_.get());
  while (auto const* const entry = ::readdir(folder_.get())) {
    std::int32_t tid = 0;
    auto const* const end = entry->d_name + std::strlen(entry->d_name);
    if (std::from_chars(entry->d_name, end, tid).ptr == end && tid != except) tids_.push_back(tid);
  }
  return tids_;
}

}  // namespace profile_relay::sdk
