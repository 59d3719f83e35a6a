#include "server/io/kafka_retirement.hpp"

#include <chrono>
#include <system_error>
#include <utility>

namespace profile_relay::server {

kafka_retirement::~kafka_retirement() {
  auto const end = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  for (auto& e : endings_) {
    if (e.ended.wait_until(end) == std::future_status::ready)
      e.thread.join();
    else
      e.thread.detach();
  }
}

bool kafka_retirement::has_room() {
  std::erase_if(endings_, [](ending& e) {
    if (e.ended.wait_for(std::chrono::seconds(0)) != std::future_status::ready) return false;
    e.thread.join();
    return true;
  });
  return endings_.size() < limit;
}

void kafka_retirement::take(retired_producers batch) {
  std::packaged_task<void()> task([batch = std::move(batch)]() mutable {
    // Here, not with the task: the future speaks of what has ended.
    auto const last = std::move(batch);
  });
  auto ended = task.get_future();
  try {
    endings_.push_back({std::thread(std::move(task)), std::move(ended)});
  } catch (std::system_error const&) {
    // No thread to be had: the batch has ended here, with the task.
  }
}

}  // namespace profile_relay::server
