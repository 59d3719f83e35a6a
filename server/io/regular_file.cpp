#include "server/io/regular_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace profile_relay::server {

namespace {

class descriptor {
 public:
  explicit descriptor(int fd) : fd_(fd) {}
  ~descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  descriptor(descriptor const&) = delete;
  descriptor& operator=(descriptor const&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

file_version version_from(struct stat const& s) {
  return {s.st_dev, s.st_ino, static_cast<std::uint64_t>(s.st_size),
          std::int64_t{s.st_ctim.tv_sec} * 1'000'000'000 + s.st_ctim.tv_nsec};
}

std::string too_large(std::size_t max_bytes) {
  return "larger than " + std::to_string(max_bytes >> 20) + " MiB";
}

/// Empty = it may be read.
std::string refuse(struct stat const& s, std::size_t max_bytes) {
  if (!S_ISREG(s.st_mode)) return "not a regular file";
  if (static_cast<std::uint64_t>(s.st_size) > max_bytes) return too_large(max_bytes);
  return {};
}

file_reading failed(file_reading reading, std::string problem) {
  reading.problem = std::move(problem);
  return reading;
}

}  // namespace

file_version version_of(std::filesystem::path const& path) {
  struct stat s {};
  return ::stat(path.c_str(), &s) == 0 ? version_from(s) : file_version{};
}

file_reading read_regular_file(std::filesystem::path const& path, std::size_t max_bytes) {
  file_reading out;
  struct stat s {};
  // Before it is opened: that alone is an event for some devices and for the writer of a FIFO.
  if (::stat(path.c_str(), &s) != 0) return failed(out, std::strerror(errno));
  out.version = version_from(s);
  if (auto why = refuse(s, max_bytes); !why.empty()) return failed(out, std::move(why));

  descriptor const file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (file.get() < 0) return failed(out, std::strerror(errno));
  // It may be another file by now.
  if (::fstat(file.get(), &s) != 0) return failed(out, std::strerror(errno));
  out.version = version_from(s);
  if (auto why = refuse(s, max_bytes); !why.empty()) return failed(out, std::move(why));

  std::string text;
  std::size_t used = 0;
  for (;;) {
    // One byte more than the file has, so that its end is seen without another round.
    text.resize(std::max<std::size_t>(used + 4096, static_cast<std::size_t>(s.st_size) + 1));
    auto const got = ::read(file.get(), text.data() + used, text.size() - used);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failed(out, std::strerror(errno));
    if (got == 0) break;
    used += static_cast<std::size_t>(got);
    // It grows while it is read, or it is one of the kernel's files, which have no size.
    if (used > max_bytes) return failed(out, too_large(max_bytes));
  }
  text.resize(used);
  out.text = std::move(text);
  return out;
}

}  // namespace profile_relay::server
