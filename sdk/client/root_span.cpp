#include <utility>

#include "sdk/client/client.hpp"

namespace profile_relay {

root_span::root_span(std::weak_ptr<sdk::client> owner, std::uint64_t id) noexcept
    : owner_(std::move(owner)), id_(id) {}

root_span::root_span(root_span&& other) noexcept
    : owner_(std::move(other.owner_)), id_(std::exchange(other.id_, 0)) {}

root_span& root_span::operator=(root_span&& other) noexcept {
  if (this == &other) return *this;
  end();
  owner_ = std::move(other.owner_);
  id_ = std::exchange(other.id_, 0);
  return *this;
}

root_span::~root_span() { end(); }

void root_span::end() noexcept {
  auto const id = std::exchange(id_, 0);
  if (id == 0) return;
  auto const client = owner_.lock();
  owner_.reset();
  if (!client || !client->of_this_process()) return;
  try {
    client->end_root_span(id);
  } catch (...) {
    // No memory for the list of actions: the span stays active, and close() ends it.
  }
}

}  // namespace profile_relay
