#pragma once

#include <catch2/catch.hpp>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <sstream>
#include <string>

#include "server/io/sqlite_spool.hpp"

namespace profile_relay::server {

/// A folder that is gone at the end.
struct temp_folder {
  temp_folder() {
    auto pattern = (std::filesystem::temp_directory_path() / "profile-relay-XXXXXX").string();
    if (!::mkdtemp(pattern.data())) throw std::runtime_error("no temporary folder");
    path = pattern;
  }
  ~temp_folder() {
    std::error_code ec;
    std::filesystem::remove_all(path, ec);
  }
  std::filesystem::path path;
};

inline std::string contents(std::filesystem::path const& p) {
  std::ostringstream text;
  text << std::ifstream(p, std::ios::binary).rdbuf();
  return text.str();
}

inline void overwrite(std::filesystem::path const& p, std::string const& text) {
  std::ofstream(p, std::ios::binary | std::ios::trunc) << text;
}

/// Collects what the spool's thread answers; each wait has a generous deadline.
class answers {
 public:
  void add(std::vector<delivery_event> more) {
    std::scoped_lock lock(mutex_);
    for (auto& e : more) events_.push_back(std::move(e));
    came_.notify_all();
  }
  delivery_event any() {
    std::unique_lock lock(mutex_);
    if (!came_.wait_for(lock, std::chrono::seconds(60), [this] { return !events_.empty(); }))
      throw std::runtime_error("no answer from the spool");
    auto e = std::move(events_.front());
    events_.pop_front();
    return e;
  }
  template <class T>
  T next() {
    auto e = any();
    if (!std::holds_alternative<T>(e))
      throw std::runtime_error("another answer: " + std::to_string(e.index()));
    return std::get<T>(std::move(e));
  }

 private:
  std::mutex mutex_;
  std::condition_variable came_;
  std::deque<delivery_event> events_;
};

struct spool_fixture {
  spool_options options() {
    spool_options o;
    o.dir = folder.path / "spool";
    o.answer = [this](std::vector<delivery_event> e) { got.add(std::move(e)); };
    o.log_error = [this](std::string const& line) { errors.push_back(line); };
    return o;
  }
  std::unique_ptr<sqlite_spool> open() { return open(options()); }
  static std::unique_ptr<sqlite_spool> open(spool_options o) {
    auto s = sqlite_spool::open(std::move(o));
    if (!s) throw std::runtime_error(s.error().what);
    return std::move(*s);
  }
  std::int64_t put(sqlite_spool& s, record_ptr r) {
    s.put(++last_id, std::move(r));
    auto const e = got.next<event::spooled>();
    if (e.id != last_id) throw std::runtime_error("answer for another id");
    return e.key;
  }
  std::vector<stored_record> take(sqlite_spool& s, std::int64_t after = 0, std::uint64_t bytes = 1u << 30) {
    s.take_oldest(after, bytes);
    return got.next<event::stored>().records;
  }

  temp_folder folder;
  answers got;
  std::vector<std::string> errors;  // read after close()
  std::uint64_t last_id = 0;
};

/// A record of `bytes` that is unlike others with another `seed`.
inline record_ptr spool_record(std::string chunk_id, std::size_t bytes = 100,
                               profile::logical_topic topic = profile::logical_topic::profiles) {
  auto r = std::make_shared<profile::kafka_record>();
  r->topic = topic;
  r->headers = {{"project_id", "42"}, {std::string("odd\0name", 8), std::string("\xff\x00", 2)}};
  if (topic == profile::logical_topic::outcomes) r->key = std::string("\x00\xfe key", 6);
  for (std::size_t i = 0; i < bytes; ++i) r->value.push_back(static_cast<char>(i * 31 + chunk_id.size()));
  r->chunk_id = std::move(chunk_id);
  r->received_ms = 1'790'000'003'123;
  r->raw_offset = bytes / 2;
  return r;
}

inline bool same(profile::kafka_record const& a, profile::kafka_record const& b) {
  return a.topic == b.topic && a.key == b.key && a.headers == b.headers && a.value == b.value &&
         a.chunk_id == b.chunk_id && a.received_ms == b.received_ms && a.raw_offset == b.raw_offset;
}

}  // namespace profile_relay::server
