/* LD_PRELOAD: a disk that fails when it is told to. While the file named by FAILING_DISK exists, every write, sync
 * and truncation below the folder FAILING_DISK_FOLDER fails: with EIO if the file says so, else with ENOSPC.
 * Written as SQLite calls the C library on Linux. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static int failing(void) {
  char const* control = getenv("FAILING_DISK");
  if (!control) return 0;
  int const fd = open(control, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  char text[8] = {0};
  ssize_t const n = read(fd, text, sizeof text - 1);
  close(fd);
  return n > 0 && strncmp(text, "EIO", 3) == 0 ? EIO : ENOSPC;
}

static int below(char const* path) {
  char const* folder = getenv("FAILING_DISK_FOLDER");
  return folder && strncmp(path, folder, strlen(folder)) == 0;
}

static int fails(int fd) {
  int const why = failing();
  if (!why) return 0;
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t const n = readlink(link, path, sizeof path - 1);
  if (n < 0) return 0;
  path[n] = 0;
  if (!below(path)) return 0;
  errno = why;
  return 1;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t pwrite(int fd, void const* data, size_t n, off_t at) { return fails(fd) ? -1 : REAL(pwrite)(fd, data, n, at); }
ssize_t pwrite64(int fd, void const* data, size_t n, off64_t at) {
  return fails(fd) ? -1 : REAL(pwrite64)(fd, data, n, at);
}
ssize_t write(int fd, void const* data, size_t n) { return fails(fd) ? -1 : REAL(write)(fd, data, n); }
int fsync(int fd) { return fails(fd) ? -1 : REAL(fsync)(fd); }
int fdatasync(int fd) { return fails(fd) ? -1 : REAL(fdatasync)(fd); }
int ftruncate(int fd, off_t size) { return fails(fd) ? -1 : REAL(ftruncate)(fd, size); }
int ftruncate64(int fd, off64_t size) { return fails(fd) ? -1 : REAL(ftruncate64)(fd, size); }
