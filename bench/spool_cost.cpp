#include <fcntl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "server/io/sqlite_spool.hpp"

namespace {

namespace relay = profile_relay;
namespace fs = std::filesystem;
using clock_type = std::chrono::steady_clock;

[[noreturn]] void give_up(std::string const& why) {
  std::cerr << "spool-cost: " << why << '\n';
  std::exit(1);
}

struct shape {
  std::size_t record_bytes = 0, group = 0;
  std::uint64_t total_bytes = 0;
  std::uint64_t groups() const { return std::max<std::uint64_t>(1, total_bytes / (record_bytes * group)); }
};

/// Bytes that no layer below can shorten.
std::string noise(std::size_t n) {
  std::mt19937_64 dice(n);
  std::string s;
  while (s.size() < n) s.push_back(static_cast<char>(dice()));
  return s;
}

relay::server::record_ptr record_of(std::size_t bytes) {
  auto r = std::make_shared<relay::profile::kafka_record>();
  r->headers = {{"project_id", "1"}};
  r->value = noise(bytes);
  r->chunk_id = std::string(32, 'c');
  return r;
}

/// An empty folder on the disk to be measured, gone at the end.
struct work_folder {
  explicit work_folder(fs::path const& below) {
    auto pattern = (below / "spool-cost-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) give_up("no folder can be made in " + below.string());
    path = pattern;
  }
  work_folder(work_folder const&) = delete;
  work_folder& operator=(work_folder const&) = delete;
  ~work_folder() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
  fs::path path;
};

double bytes_per_second(shape const& s, clock_type::time_point begin) {
  auto const seconds = std::chrono::duration<double>(clock_type::now() - begin).count();
  return static_cast<double>(s.groups() * s.group * s.record_bytes) / seconds;
}

/// Each group appended record by record to a growing file, then fdatasync.
double bare(fs::path const& folder, shape const& s) {
  auto const value = noise(s.record_bytes);
  int const file = ::open((folder / "bare").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (file < 0) give_up("no file can be made in " + folder.string());
  auto const begin = clock_type::now();
  for (std::uint64_t g = s.groups(); g != 0; --g) {
    for (std::size_t i = 0; i < s.group; ++i)
      if (::write(file, value.data(), value.size()) != static_cast<ssize_t>(value.size()))
        give_up("a write failed");
    if (::fdatasync(file) != 0) give_up("a sync failed");
  }
  auto const rate = bytes_per_second(s, begin);
  ::close(file);
  return rate;
}

/// The next group is put when the one before is answered, from the spool's own thread: so that each transaction holds
/// one whole group. With `remove` it also takes out again what it stored before, as a spool does that is drained.
double spool(fs::path const& folder, shape const& s, bool remove) {
  auto const record = record_of(s.record_bytes);
  std::unique_ptr<relay::server::sqlite_spool> store;
  std::uint64_t left = s.groups(), id = 0, open = 0;
  std::atomic<bool> done = false;
  std::atomic<bool> failed = false;
  auto const put_group = [&] {
    --left;
    open = s.group;
    for (std::size_t i = 0; i < s.group; ++i) store->put(++id, record);
  };
  relay::server::spool_options options;
  options.dir = folder / "spool";
  options.max_disk_size = std::uint64_t{1} << 40;
  options.look_pause = std::chrono::hours(1);
  options.answer = [&](std::vector<relay::server::delivery_event> events) {
    namespace event = relay::server::event;
    for (auto const& e : events) {
      if (std::holds_alternative<event::spool_failed>(e)) failed = true;
      if (auto const* stored = std::get_if<event::spooled>(&e)) {
        --open;
        if (remove) store->remove(stored->key);
      }
    }
    if (open != 0) return;
    if (left != 0 && !failed) return put_group();
    done = true;
    done.notify_one();
  };
  auto opened = relay::server::sqlite_spool::open(std::move(options));
  if (!opened) give_up(opened.error().what);
  store = std::move(*opened);
  auto const begin = clock_type::now();
  put_group();
  done.wait(false);
  auto const rate = bytes_per_second(s, begin);
  store->close();
  if (failed) give_up("the spool refused a record");
  return rate;
}

}  // namespace

/// spool-cost: bytes a second that the spool makes durable, beside a bare append with fdatasync of the same records in
/// the same groups on the same disk; one after the other in each round. See bench/delivery_bench.py.
int main(int argc, char** argv) {
  CLI::App app{"Bytes a second of the spool and of a bare append with fdatasync."};
  fs::path below = fs::temp_directory_path();
  shape s{100'000, 16, 100'000'000};
  unsigned rounds = 5;
  app.add_option("--folder", below, "on the disk to be measured")->capture_default_str();
  app.add_option("--record-bytes", s.record_bytes)->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--group", s.group, "records of one transaction, of one fdatasync")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--total-bytes", s.total_bytes, "of each measurement")->capture_default_str();
  app.add_option("--rounds", rounds)->check(CLI::PositiveNumber)->capture_default_str();
  CLI11_PARSE(app, argc, argv);

  for (unsigned round = 0; round < rounds; ++round) {
    auto const measured = [&](auto&& what) {
      work_folder const folder(below);
      return what(folder.path);
    };
    auto const b = measured([&](fs::path const& p) { return bare(p, s); });
    auto const kept = measured([&](fs::path const& p) { return spool(p, s, false); });
    auto const drained = measured([&](fs::path const& p) { return spool(p, s, true); });
    std::printf("{\"bare\":%.0f,\"spool\":%.0f,\"spool_drained\":%.0f}\n", b, kept, drained);
    std::fflush(stdout);
  }
  return 0;
}
