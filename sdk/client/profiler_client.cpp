#include "profile_relay/profiler.hpp"
#include "sdk/client/client_slot.hpp"

namespace profile_relay {
namespace {

/// What is thrown inside is for want of memory, a thread or a socket; each call says what it then answers.
template <typename T, typename F>
T or_else(T fallback, F&& call) noexcept {
  try {
    return call();
  } catch (...) {
    return fallback;
  }
}

}  // namespace

profiler_client::profiler_client(profiler_options options)
    : slot_(std::make_unique<sdk::client_slot>(std::move(options), sdk::make_real_parts)) {}

profiler_client::~profiler_client() = default;

start_result profiler_client::start_profiler() noexcept {
  return or_else(start_result::sampler_unavailable, [&] { return slot_->here().start_profiler(); });
}

stop_result profiler_client::stop_profiler() noexcept {
  return or_else(stop_result::not_running, [&] { return slot_->here().stop_profiler(); });
}

root_span profiler_client::begin_root_span(root_span_info const& info) noexcept {
  try {
    return slot_->begin_root_span(info);
  } catch (...) {
    return {};
  }
}

void profiler_client::begin_user_session() noexcept {
  if (auto* const c = slot_->existing()) or_else(0, [&] { return c->begin_user_session(), 0; });
}

void profiler_client::finish_app_start() noexcept {
  if (auto* const c = slot_->existing()) or_else(0, [&] { return c->finish_app_start(), 0; });
}

bool profiler_client::is_running() const noexcept {
  auto const* const c = slot_->existing();
  return c && or_else(false, [&] { return c->is_running(); });
}

std::string profiler_client::profiler_id() const {
  auto const* const c = slot_->existing();
  return c ? c->profiler_id() : std::string();
}

void profiler_client::close(std::chrono::milliseconds deadline) noexcept {
  or_else(0, [&] { return slot_->close(deadline), 0; });
}

}  // namespace profile_relay
