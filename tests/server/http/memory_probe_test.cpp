#include "server/io/memory_probe.hpp"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include "server/io/keep_freed_memory.hpp"

using namespace profile_relay::server;

namespace {

namespace fs = std::filesystem;

/// A file system root with these files in it, gone at the end.
class fake_root {
 public:
  explicit fake_root(std::map<std::string, std::string> const& files) {
    std::string pattern = (fs::temp_directory_path() / "memory-probe-XXXXXX").string();
    dir_ = mkdtemp(pattern.data());
    for (auto const& [name, text] : files) {
      fs::create_directories((dir_ / name).parent_path());
      std::ofstream(dir_ / name) << text;
    }
  }
  ~fake_root() { fs::remove_all(dir_); }
  fs::path const& path() const { return dir_; }

 private:
  fs::path dir_;
};

std::string const meminfo = "MemTotal:       1000 kB\nMemFree:  1 kB\nMemAvailable:    400 kB\n";

}  // namespace

TEST_CASE("memory comes from the tightest cgroup, else from the host") {
  struct row {
    char const* name;
    std::map<std::string, std::string> files;
    std::uint64_t used, limit;
  };
  auto const r = GENERATE(values<row>({
      {"v2, in a container",
       {{"proc/self/cgroup", "0::/\n"},
        {"proc/meminfo", meminfo},
        {"sys/fs/cgroup/memory.current", "3000\n"},
        {"sys/fs/cgroup/memory.max", "10000\n"},
        {"sys/fs/cgroup/memory.stat", "anon 5\ninactive_file 1000\n"}},
       2000,
       10000},
      {"v2, the parent is tighter",
       {{"proc/self/cgroup", "0::/a/b\n"},
        {"proc/meminfo", meminfo},
        {"sys/fs/cgroup/a/memory.current", "7000\n"},
        {"sys/fs/cgroup/a/memory.max", "8000\n"},
        {"sys/fs/cgroup/a/b/memory.current", "3000\n"},
        {"sys/fs/cgroup/a/b/memory.max", "max\n"}},
       7000,
       8000},
      {"v2, its path is outside of our view",
       {{"proc/self/cgroup", "0::/../../x\n"},
        {"proc/meminfo", meminfo},
        {"sys/fs/cgroup/memory.current", "5\n"},
        {"sys/fs/cgroup/memory.max", "6\n"}},
       5,
       6},
      {"v2 without a limit",
       {{"proc/self/cgroup", "0::/a\n"},
        {"proc/meminfo", meminfo},
        {"sys/fs/cgroup/a/memory.current", "3000\n"},
        {"sys/fs/cgroup/a/memory.max", "max\n"}},
       600 * 1024,
       1000 * 1024},
      {"v1",
       {{"proc/self/cgroup", "5:cpu,cpuacct:/x\n4:memory:/a\n0::/\n"},
        {"proc/meminfo", meminfo},
        {"sys/fs/cgroup/memory/a/memory.usage_in_bytes", "3000\n"},
        {"sys/fs/cgroup/memory/a/memory.limit_in_bytes", "9000\n"},
        {"sys/fs/cgroup/memory/a/memory.stat", "inactive_file 7\ntotal_inactive_file 500\n"}},
       2500,
       9000},
      {"v1 without a limit",
       {{"proc/self/cgroup", "4:memory:/a\n"},
        {"proc/meminfo", meminfo},
        {"sys/fs/cgroup/memory/a/memory.usage_in_bytes", "3000\n"},
        {"sys/fs/cgroup/memory/a/memory.limit_in_bytes", "9223372036854771712\n"}},
       600 * 1024,
       1000 * 1024},
      {"no cgroup", {{"proc/meminfo", meminfo}}, 600 * 1024, 1000 * 1024},
  }));
  INFO(r.name);
  fake_root const root(r.files);
  auto const got = read_memory(root.path());
  REQUIRE(got);
  CHECK(got->used == r.used);
  CHECK(got->limit == r.limit);
}

TEST_CASE("nothing readable is no reading") {
  fake_root const root(std::map<std::string, std::string>{{"empty", ""}});
  CHECK_FALSE(read_memory(root.path()));
}

TEST_CASE("this machine has a reading") {
  auto const got = read_memory();
  REQUIRE(got);
  CHECK(got->used > 0);
  CHECK(got->used < got->limit);
}

TEST_CASE("a probe slower than its timeout counts as failed, and its options can change") {
  using namespace std::chrono_literals;
  memory_probe probe(1h, 0ms);
  CHECK_FALSE(probe.latest());
  probe.configure(1h, 1h);
  CHECK(probe.latest());
  probe.configure(1h, 0ms);
  CHECK_FALSE(probe.latest());
}

TEST_CASE("freed memory is given back only near the budget, and only if much of it is kept") {
  constexpr std::uint64_t mib = 1u << 20, budget = 256 * mib;
  CHECK_FALSE(keeps_too_much(0, 0, budget));
  CHECK_FALSE(keeps_too_much(200 * mib, 0, budget));          // far from the budget
  CHECK_FALSE(keeps_too_much(260 * mib, 250 * mib, budget));  // in use
  CHECK(keeps_too_much(260 * mib, 100 * mib, budget));
  CHECK(resident_bytes() > mib);
}
