#include "server/io/spool_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <system_error>
#include <utility>

namespace profile_relay::server {
namespace {

std::string holder(int fd) {
  std::array<char, 32> text{};
  auto const n = ::pread(fd, text.data(), text.size() - 1, 0);
  std::string s(text.data(), n > 0 ? static_cast<std::size_t>(n) : 0);
  s.erase(s.find_last_not_of('\n') + 1);
  return s.empty() ? "another process" : "process " + s;
}

// Without it a power cut may forget the folder itself, with everything synced inside it.
void sync_folder(std::filesystem::path const& dir) {
  int const fd = ::open(dir.empty() ? "." : dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  ::fsync(fd);
  ::close(fd);
}

}  // namespace

start_result<spool_lock> spool_lock::take(std::filesystem::path const& dir) {
  std::error_code ec;
  if (!std::filesystem::exists(dir, ec)) {
    std::filesystem::create_directories(dir, ec);
    if (ec) return start_error{"spool: cannot make the folder " + dir.string() + ": " + ec.message()};
    std::filesystem::permissions(dir, std::filesystem::perms::owner_all, ec);
    sync_folder(dir.parent_path());
  }
  auto const path = (dir / "lock").string();
  int const fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return start_error{"spool: cannot write in " + dir.string() + ": " + std::strerror(errno)};
  spool_lock lock(fd);
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK)
      return start_error{"spool: " + dir.string() + " is in use by " + holder(fd) + " (it holds " + path +
                         "): stop that server, or set spool.envelopes.path to another folder"};
    return start_error{"spool: cannot lock " + path + ": " + std::strerror(errno)};
  }
  // For people only; the lock is the flock.
  auto const pid = std::to_string(::getpid()) + "\n";
  if (::ftruncate(fd, 0) != 0 || ::pwrite(fd, pid.data(), pid.size(), 0) < 0)
    return start_error{"spool: cannot write " + path + ": " + std::strerror(errno)};
  return lock;
}

spool_lock::spool_lock(spool_lock&& o) noexcept : fd_(std::exchange(o.fd_, -1)) {}

spool_lock::~spool_lock() {
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace profile_relay::server
