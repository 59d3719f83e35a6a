#include "server/io/spool_lock.hpp"

#include <fcntl.h>
#include <sys/stat.h>
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

struct flock whole_file(short type) {
  struct flock l {};
  l.l_type = type;
  l.l_whence = SEEK_SET;
  return l;
}

}  // namespace

void sync_folder(std::filesystem::path const& dir) {
  int const fd = ::open(dir.empty() ? "." : dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  ::fsync(fd);
  ::close(fd);
}

bool spool_lock::held(std::filesystem::path const& dir) {
  int const fd = ::open((dir / "lock").c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  auto l = whole_file(F_WRLCK);
  bool const is = ::fcntl(fd, F_OFD_GETLK, &l) == 0 && l.l_type != F_UNLCK;
  ::close(fd);
  return is;
}

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
  auto l = whole_file(F_WRLCK);
  if (::fcntl(fd, F_OFD_SETLK, &l) != 0) {
    auto const why = errno;
    auto const who = holder(fd);
    ::close(fd);
    if (why == EWOULDBLOCK || why == EACCES)
      return start_error{"spool: " + dir.string() + " is in use by " + who + " (it holds " + path +
                         "): stop that server, or set spool.envelopes.path to another folder"};
    return start_error{"spool: cannot lock " + path + ": " + std::strerror(why)};
  }
  struct stat st {};
  spool_lock lock(fd, ::fstat(fd, &st) == 0 && st.st_size != 0);
  // For people, and for found_unclean; the lock is the kernel's.
  auto const pid = std::to_string(::getpid()) + "\n";
  if (::ftruncate(fd, 0) != 0 || ::pwrite(fd, pid.data(), pid.size(), 0) < 0)
    return start_error{"spool: cannot write " + path + ": " + std::strerror(errno)};
  return lock;
}

spool_lock::spool_lock(spool_lock&& o) noexcept
    : fd_(std::exchange(o.fd_, -1)), found_unclean_(o.found_unclean_) {}

spool_lock::~spool_lock() {
  if (fd_ < 0) return;
  if (::ftruncate(fd_, 0) != 0) {
    // Then the next start only looks more closely.
  }
  ::close(fd_);
}

}  // namespace profile_relay::server
