// Values that a hash without a secret sends to one place (collisions.hpp).
#include <vector>

#include "collisions.hpp"
#include "kinds.hpp"
#include "proto/fields.hpp"
#include "recorder.hpp"

namespace attack {
namespace {

namespace id = profile_relay::proto::fields::interned_data;

std::string use_all(recorder& r, std::size_t n) {
  std::vector<std::uint64_t> ids;
  for (std::uint64_t i = 1, stack = 1; i <= n; ++i) {
    ids.push_back(i);
    if (ids.size() < 100 && i != n) continue;
    r.callstack(stack, ids).sample(stack);
    ids.clear();
    ++stack;
  }
  return clock_snapshot() + r.take();
}

std::string strings(std::size_t n) {
  recorder r;
  r.clear();
  auto const names = colliding_strings(n);
  for (std::size_t i = 1; i <= n; ++i) r.function(i, names[i - 1]).frame(i, i);
  return use_all(r, n);
}

std::string build_ids(std::size_t n) {
  recorder r;
  r.clear();
  auto const names = colliding_strings(n);
  for (std::size_t i = 1; i <= n; ++i)
    r.name(id::build_ids, i, names[i - 1]).mapping(i, 0x1000, {}, i).frame(i, 0, i, 1);
  return use_all(r, n);
}

std::string frames(std::size_t n) {
  // Strings and mappings are numbered in order of use, from 1 and from 0: the address can undo a frame's name.
  recorder r;
  r.clear().mapping(1, 0x1000, {});
  for (std::uint64_t i = 1; i <= n; ++i) r.function(i, "f" + std::to_string(i)).frame(i, i, 1, 5 ^ (i << 32));
  return use_all(r, n);
}

std::string mappings(std::size_t n) {
  // Two offsets that are combined by a shift and an exclusive or.
  namespace m = profile_relay::proto::fields::mapping;
  recorder r;
  r.clear();
  for (std::uint64_t i = 1; i <= n; ++i) {
    message one;
    one.num(m::iid, i).num(m::start, 0x1000).num(m::end, 0x2000);
    r.intern(id::mappings, one.num(m::start_offset, i).num(m::exact_offset, i << 1)).frame(i, 0, i, 1);
  }
  return use_all(r, n);
}

std::string tasks(std::size_t n) {
  recorder r;
  std::uint64_t const one[] = {1};
  r.clear().function(1, "f").frame(1, 1).callstack(1, one);
  for (std::uint32_t i = 1; i <= n; ++i) r.sample(1, i, i ^ 0x5555'5555u);
  return clock_snapshot() + r.take();
}

constexpr kind kinds[] = {
    {"colliding-strings", strings, 500, "names with one hash"},
    {"colliding-build-ids", build_ids, 500, "build ids with one hash"},
    {"colliding-frames", frames, 1'000, "frames with one hash"},
    {"colliding-mappings", mappings, 1'000, "mappings with one hash"},
    {"colliding-tasks", tasks, 1'000, "tasks with one hash"},
};

}  // namespace

std::span<const kind> kinds_of_collisions() { return kinds; }

}  // namespace attack
