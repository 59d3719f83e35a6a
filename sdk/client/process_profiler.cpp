#include <atomic>
#include <cstdio>
#include <memory>

#include "profile_relay/profiler.hpp"
#include "sdk/client/check_options.hpp"

namespace profile_relay {
namespace {

/// A client that was replaced stays, closed and without threads: a call that found it a moment ago may still be in it.
struct node {
  profiler_client client;
  node* before = nullptr;

  explicit node(profiler_options options) : client(std::move(options)) {}
};

// No constructor and no destructor: it is there before main() and after it.
constinit std::atomic<node*> process_client{nullptr};

profiler_client* current() noexcept {
  auto* const n = process_client.load();
  return n ? &n->client : nullptr;
}

void refuse(log_function const& log, char const* why) noexcept {
  try {
    auto const line = std::string("init() refuses: ") + why;
    if (log)
      log(line);
    else
      std::fprintf(stderr, "profile-relay: %s\n", line.c_str());
  } catch (...) {
    // Nothing is left to say it with.
  }
}

}  // namespace

bool init(profiler_options options) noexcept {
  log_function log;
  try {
    log = options.log;
    sdk::check_options(options);
    // The old one first: two samplers at once are one too many, should this launch start one.
    auto* before = process_client.load();
    if (before) before->client.close();
    auto fresh = std::make_unique<node>(std::move(options));
    while (!process_client.compare_exchange_weak(before, fresh.get())) {
    }
    fresh.release()->before = before;
    if (before) before->client.close();  // again only if another init() came between
    return true;
  } catch (std::exception const& e) {
    refuse(log, e.what());
  } catch (...) {
    refuse(log, "unknown exception");
  }
  return false;
}

start_result start_profiler() noexcept {
  auto* const c = current();
  return c ? c->start_profiler() : start_result::not_initialised;
}

stop_result stop_profiler() noexcept {
  auto* const c = current();
  return c ? c->stop_profiler() : stop_result::not_initialised;
}

root_span begin_root_span(root_span_info const& info) noexcept {
  auto* const c = current();
  return c ? c->begin_root_span(info) : root_span();
}

void begin_user_session() noexcept {
  if (auto* const c = current()) c->begin_user_session();
}

void finish_app_start() noexcept {
  if (auto* const c = current()) c->finish_app_start();
}

bool is_running() noexcept {
  auto const* const c = current();
  return c && c->is_running();
}

std::string profiler_id() {
  auto const* const c = current();
  return c ? c->profiler_id() : std::string();
}

void close(std::chrono::milliseconds deadline) noexcept {
  if (auto* const c = current()) c->close(deadline);
}

}  // namespace profile_relay
