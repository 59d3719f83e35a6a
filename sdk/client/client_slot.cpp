#include "sdk/client/client_slot.hpp"

#include <unistd.h>

#include "sdk/client/check_options.hpp"

namespace profile_relay::sdk {

client_slot::client_slot(profiler_options options, parts_maker make)
    : options_((check_options(options), std::move(options))), make_(std::move(make)) {
  held_ = new held{::getpid(), std::make_shared<client>(options_, make_(options_))};
}

client_slot::~client_slot() {
  auto* const h = held_.load();
  if (h->pid != ::getpid()) return;  // the parent's: see above
  h->owner->close(std::chrono::seconds(2));
  delete h;
}

client& client_slot::here() {
  auto* found = held_.load();
  if (found->pid == ::getpid()) return *found->owner;
  auto fresh = std::make_unique<held>(::getpid(), std::make_shared<client>(options_, make_(options_), true));
  if (closed_) fresh->owner->close(std::chrono::milliseconds(0));
  // Another thread of the child may have been faster; then ours goes, which has started nothing.
  if (held_.compare_exchange_strong(found, fresh.get())) return *fresh.release()->owner;
  return *found->owner;
}

client* client_slot::existing() const noexcept {
  auto* const h = held_.load();
  return h->pid == ::getpid() ? h->owner.get() : nullptr;
}

root_span client_slot::begin_root_span(root_span_info const& info) {
  // In the manual lifecycle a child's root span is no reason to make a client.
  if (options_.lifecycle != profile_lifecycle::trace) return {};
  auto& mine = here();
  auto const id = mine.begin_root_span(info);
  if (id == 0) return {};
  return {held_.load()->owner, id};
}

void client_slot::close(std::chrono::milliseconds deadline) {
  closed_ = true;
  if (auto* const mine = existing()) mine->close(deadline);
}

}  // namespace profile_relay::sdk
