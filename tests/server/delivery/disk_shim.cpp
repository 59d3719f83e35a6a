#include "tests/server/delivery/disk_shim.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <new>
#include <sstream>
#include <stdexcept>

namespace profile_relay::server {
namespace {

disk_shim* shim = nullptr;  // one at a time: SQLite's calls carry no pointer of ours

std::string read_all(std::string const& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

}  // namespace

struct disk_shim::file {
  sqlite3_file base;
  char const* name;  // null = a temporary file
  bool is_log;
  sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};

/// What SQLite calls.
struct shim_calls {
  using file = disk_shim::file;
  static file& of(sqlite3_file* f) { return *reinterpret_cast<file*>(f); }
  static sqlite3_file* real(sqlite3_file* f) { return of(f).real(); }

  static int close(sqlite3_file* f) { return real(f)->pMethods->xClose(real(f)); }
  static int read(sqlite3_file* f, void* to, int n, sqlite3_int64 at) {
    return real(f)->pMethods->xRead(real(f), to, n, at);
  }
  static int write(sqlite3_file* f, void const* data, int n, sqlite3_int64 at) {
    {
      std::scoped_lock lock(shim->mutex_);
      if (shim->next_fails()) return shim->code_;
      if (of(f).name)
        shim->disk_[of(f).name].since.push_back(
            {at, std::string(static_cast<char const*>(data), static_cast<std::size_t>(n)), -1});
    }
    return real(f)->pMethods->xWrite(real(f), data, n, at);
  }
  static int truncate(sqlite3_file* f, sqlite3_int64 size) {
    {
      std::scoped_lock lock(shim->mutex_);
      if (shim->next_fails()) return SQLITE_IOERR_TRUNCATE;
      if (of(f).name) shim->disk_[of(f).name].since.push_back({0, {}, size});
    }
    return real(f)->pMethods->xTruncate(real(f), size);
  }
  static int sync(sqlite3_file* f, int) {
    if (of(f).is_log && shim->on_log_sync) shim->on_log_sync();
    std::scoped_lock lock(shim->mutex_);
    if (shim->next_fails()) return SQLITE_IOERR_FSYNC;
    shim->log_syncs_ += of(f).is_log;
    if (!of(f).name) return SQLITE_OK;
    auto& d = shim->disk_[of(f).name];
    for (auto const& c : d.since) disk_shim::apply(d.synced, c);
    d.since.clear();
    return SQLITE_OK;
  }
  static int file_size(sqlite3_file* f, sqlite3_int64* size) {
    return real(f)->pMethods->xFileSize(real(f), size);
  }
  static int lock(sqlite3_file* f, int level) { return real(f)->pMethods->xLock(real(f), level); }
  static int unlock(sqlite3_file* f, int level) { return real(f)->pMethods->xUnlock(real(f), level); }
  static int check_lock(sqlite3_file* f, int* held) {
    return real(f)->pMethods->xCheckReservedLock(real(f), held);
  }
  static int control(sqlite3_file* f, int op, void* arg) {
    return real(f)->pMethods->xFileControl(real(f), op, arg);
  }
  static int sector_size(sqlite3_file* f) { return real(f)->pMethods->xSectorSize(real(f)); }
  static int traits(sqlite3_file* f) { return real(f)->pMethods->xDeviceCharacteristics(real(f)); }
  static int shm_map(sqlite3_file* f, int page, int size, int extend, void volatile** to) {
    return real(f)->pMethods->xShmMap(real(f), page, size, extend, to);
  }
  static int shm_lock(sqlite3_file* f, int at, int n, int flags) {
    return real(f)->pMethods->xShmLock(real(f), at, n, flags);
  }
  static void shm_barrier(sqlite3_file* f) { real(f)->pMethods->xShmBarrier(real(f)); }
  static int shm_unmap(sqlite3_file* f, int remove) { return real(f)->pMethods->xShmUnmap(real(f), remove); }

  static int open(sqlite3_vfs*, char const* name, sqlite3_file* f, int flags, int* out_flags) {
    static sqlite3_io_methods const methods{
        2,       close,       read,   write,   truncate, sync,        file_size, lock,    unlock, check_lock,
        control, sector_size, traits, shm_map, shm_lock, shm_barrier, shm_unmap, nullptr, nullptr};
    f->pMethods = nullptr;
    {
      std::scoped_lock lock(shim->mutex_);
      if (shim->next_fails()) return SQLITE_CANTOPEN;
    }
    auto& mine = of(f);
    mine.name = name;
    mine.is_log = name && std::string_view(name).ends_with("-wal");
    int const rc = shim->real_->xOpen(shim->real_, name, mine.real(), flags, out_flags);
    if (rc != SQLITE_OK) return rc;
    f->pMethods = &methods;
    std::scoped_lock lock(shim->mutex_);
    if (name && !shim->disk_.contains(name)) shim->disk_[name].synced = read_all(name);
    return SQLITE_OK;
  }
  static int remove(sqlite3_vfs*, char const* name, int sync_folder) {
    std::scoped_lock lock(shim->mutex_);
    if (shim->next_fails()) return SQLITE_IOERR_DELETE;
    shim->disk_.erase(name);
    return shim->real_->xDelete(shim->real_, name, sync_folder);
  }
};

disk_shim::disk_shim() : real_(sqlite3_vfs_find(nullptr)), own_(*real_) {
  if (shim) throw std::logic_error("one disk_shim at a time");
  shim = this;
  own_.zName = "disk_shim";
  own_.szOsFile = static_cast<int>(sizeof(file)) + real_->szOsFile;
  own_.pNext = nullptr;
  own_.xOpen = shim_calls::open;
  own_.xDelete = shim_calls::remove;
  sqlite3_vfs_register(&own_, 1);
}

disk_shim::~disk_shim() {
  sqlite3_vfs_register(real_, 1);
  sqlite3_vfs_unregister(&own_);
  shim = nullptr;
}

bool disk_shim::next_fails() {
  ++calls_;
  bool const fails = calls_ >= fail_first_ && calls_ < fail_last_;
  has_failed_ = has_failed_ || fails;
  return fails;
}

void disk_shim::fail(std::uint64_t first, std::uint64_t more, int code) {
  std::scoped_lock lock(mutex_);
  fail_first_ = calls_ + first;
  fail_last_ = fail_first_ + 1 + more;
  code_ = code;
  has_failed_ = false;
}

void disk_shim::heal() {
  std::scoped_lock lock(mutex_);
  fail_first_ = fail_last_ = 0;
}

bool disk_shim::has_failed() const {
  std::scoped_lock lock(mutex_);
  return has_failed_;
}

std::uint64_t disk_shim::log_syncs() const {
  std::scoped_lock lock(mutex_);
  return log_syncs_;
}

void disk_shim::apply(std::string& content, change const& c) {
  if (c.size >= 0) return content.resize(static_cast<std::size_t>(c.size));
  auto const at = static_cast<std::size_t>(c.at);
  if (content.size() < at + c.data.size()) content.resize(at + c.data.size());
  std::copy(c.data.begin(), c.data.end(), content.begin() + c.at);
}

void disk_shim::cut_power(std::mt19937& chance) {
  std::scoped_lock lock(mutex_);
  for (auto& [name, d] : disk_) {
    for (auto c : d.since) {
      if (chance() % 2 == 0) continue;
      if (c.size < 0 && chance() % 8 == 0) c.data.resize(chance() % (c.data.size() + 1));
      apply(d.synced, c);
    }
    d.since.clear();
    if (std::filesystem::exists(name)) std::ofstream(name, std::ios::binary | std::ios::trunc) << d.synced;
  }
}

}  // namespace profile_relay::server
