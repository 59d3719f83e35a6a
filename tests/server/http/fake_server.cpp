#include "fake_server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>

namespace profile_relay::server::test {

std::shared_ptr<const config::project_snapshot> test_projects(std::vector<config::quota> quotas) {
  std::vector<std::pair<std::string, std::shared_ptr<const config::project>>> files;
  auto const add = [&](std::uint64_t id, std::vector<config::public_key> keys, bool profiling, bool perfetto,
                       std::vector<std::string> domains = {"*"}, std::vector<config::quota> limits = {}) {
    auto p = std::make_shared<config::project>();
    p->id = id;
    p->organization_id = 100 + id;
    p->keys = std::move(keys);
    p->continuous_profiling = profiling;
    p->continuous_profiling_perfetto = perfetto;
    p->allowed_domains = std::move(domains);
    p->quotas = std::move(limits);
    files.emplace_back(std::to_string(id) + ".json", std::move(p));
  };
  add(1, {{good_key, 1054, true}, {disabled_key, 1055, false}}, true, true, {"*"}, std::move(quotas));
  add(2, {{perfetto_off_key, {}, true}}, true, false);
  add(3, {{all_off_key, {}, true}}, false, false);
  add(4, {{site_key, {}, true}}, true, true, {"https://shop.example"});
  std::vector<std::string> warnings;
  return std::make_shared<config::project_snapshot>(config::project_snapshot::build(files, warnings));
}

fake_delivery::fake_delivery() : thread_([this] { run(); }) {}

fake_delivery::~fake_delivery() {
  {
    std::scoped_lock lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void fake_delivery::submit(profile::kafka_record record, std::function<void(record_end)> done) {
  {
    std::scoped_lock lock(mutex_);
    waiting_.emplace_back(std::move(done),
                          record.topic == profile::logical_topic::profiles ? profiles_ : outcomes_);
    records_.push_back(std::move(record));
  }
  changed_.notify_all();
}

void fake_delivery::end_with(record_end profiles, record_end outcomes) {
  std::scoped_lock lock(mutex_);
  profiles_ = profiles;
  outcomes_ = outcomes;
}

void fake_delivery::hold() {
  std::scoped_lock lock(mutex_);
  held_ = true;
}

void fake_delivery::release() {
  {
    std::scoped_lock lock(mutex_);
    held_ = false;
  }
  changed_.notify_all();
}

void fake_delivery::wait_for(std::size_t count) {
  std::unique_lock lock(mutex_);
  if (!changed_.wait_for(lock, std::chrono::seconds(20), [&] { return records_.size() >= count; }))
    throw std::runtime_error("records did not come");
}

std::vector<profile::kafka_record> fake_delivery::records() const {
  std::scoped_lock lock(mutex_);
  return records_;
}

std::size_t fake_delivery::count(profile::logical_topic topic) const {
  std::scoped_lock lock(mutex_);
  return static_cast<std::size_t>(std::ranges::count(records_, topic, &profile::kafka_record::topic));
}

void fake_delivery::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stop_ || (!held_ && !waiting_.empty()); });
    auto const ends = std::exchange(waiting_, {});
    lock.unlock();
    for (auto const& [done, end] : ends) done(end);
    lock.lock();
    if (stop_ && waiting_.empty()) return;
  }
}

fake_server::fake_server(std::function<void(http_server_options&, pipeline_settings&)> const& change,
                         std::uint64_t budget_bytes, std::vector<config::quota> quotas)
    : budget(budget_bytes) {
  http_server_options options;
  options.threads = options.workers = 2;
  pipeline_settings pipeline;
  if (change) change(options, pipeline);
  auto const projects = test_projects(std::move(quotas));
  services.reset(new http_services{delivery, counted, budget, limiter, pipeline,
                                   [projects] { return projects; },
                                   [this] {
                                     readiness r;
                                     r.ready = ready;
                                     return r;
                                   },
                                   [this] { return counted.render({}); }, [this] { return over_mark; },
                                   [] { return std::string(16, 'r'); }, [this] { return now_s.load(); }});
  auto started = http_server::start(options, *services);
  if (!started) throw std::runtime_error(started.error().what);
  http = std::move(*started);
}

fake_server::~fake_server() {
  delivery.release();
  http->stop();
}

double fake_server::metric(std::string const& series) {
  auto const text = "\n" + counted.render({});
  auto const at = text.find("\n" + series + " ");
  return at == std::string::npos ? 0 : std::stod(text.substr(at + series.size() + 2));
}

connection::connection(std::uint16_t port) : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
  timeval const patience{20, 0};
  setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0)
    throw std::runtime_error("cannot connect");
}

connection::~connection() { close(fd_); }

bool connection::send(std::string_view bytes) {
  while (!bytes.empty()) {
    auto const n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

void connection::shutdown_send() { shutdown(fd_, SHUT_WR); }

bool connection::more() {
  char buffer[65536];
  auto const n = recv(fd_, buffer, sizeof buffer, 0);
  if (n <= 0) return false;
  in_.append(buffer, static_cast<std::size_t>(n));
  return true;
}

reply connection::receive() {
  reply out;
  std::size_t end;
  while ((end = in_.find("\r\n\r\n")) == std::string::npos) {
    if (!more()) {
      out.closed = true;
      return out;
    }
  }
  auto head = std::string_view(in_).substr(0, end + 2);
  out.status = std::stoi(std::string(head.substr(9, 3)));
  for (head.remove_prefix(head.find("\r\n") + 2); !head.empty(); head.remove_prefix(head.find("\r\n") + 2)) {
    auto const line = head.substr(0, head.find("\r\n"));
    auto name = std::string(line.substr(0, line.find(':')));
    std::ranges::transform(name, name.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    out.headers[name] = std::string(line.substr(line.find(':') + 2));
  }
  auto const length = out.headers.contains("content-length") ? std::stoul(out.headers["content-length"]) : 0;
  in_.erase(0, end + 4);
  while (in_.size() < length) {
    if (!more()) {
      out.closed = true;
      return out;
    }
  }
  out.body = in_.substr(0, length);
  in_.erase(0, length);
  return out;
}

bool connection::at_end() {
  while (more()) {
  }
  return in_.empty() && errno != EAGAIN;
}

std::string post(std::string_view target, std::string_view key, std::string_view body,
                 std::string_view extra) {
  std::string out = "POST " + std::string(target) + " HTTP/1.1\r\nHost: localhost\r\n";
  if (!key.empty()) out += "X-Sentry-Auth: Sentry sentry_version=7, sentry_key=" + std::string(key) + "\r\n";
  if (extra.find("ransfer-") == std::string_view::npos)
    out += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  out += extra;
  out += "\r\n";
  out += body;
  return out;
}

std::string envelope_of(std::vector<std::string> const& payloads, std::string_view header) {
  std::string out(header);
  out += '\n';
  for (auto const& p : payloads) {
    out += R"({"type":"profile_chunk","platform":"python","length":)" + std::to_string(p.size()) + "}\n" + p +
           "\n";
  }
  return out;
}

std::string good_chunk(std::string_view chunk_id) {
  return R"({"chunk_id":")" + std::string(chunk_id) +
         R"(","profiler_id":"fedcba9876543210fedcba9876543210","platform":"python","release":"r",)"
         R"("client_sdk":{"name":"test","version":"1"},"version":"2","profile":{"samples":[)"
         R"({"timestamp":1790000000.0,"stack_id":0,"thread_id":"1"},)"
         R"({"timestamp":1790000000.5,"stack_id":0,"thread_id":"1"}],)"
         R"("stacks":[[0]],"frames":[{"function":"f"}],"thread_metadata":{"1":{"name":"main"}}}})";
}

}  // namespace profile_relay::server::test
