// Tables of interned things and of results, filled with many entries.
#include <vector>

#include "kinds.hpp"
#include "proto/fields.hpp"
#include "recorder.hpp"

namespace attack {
namespace {

namespace fields = profile_relay::proto::fields;
namespace id = fields::interned_data;

constexpr std::size_t depth = 100;

/// Callstacks of 100 frames each, that use the frames 1 to n of `r` once, each with its sample.
std::string use_all(recorder& r, std::size_t n, std::uint64_t step = 1) {
  std::vector<std::uint64_t> ids;
  std::uint64_t stack = 1;
  for (std::size_t i = 1; i <= n; ++i) {
    ids.push_back(i * step);
    if (ids.size() < depth && i != n) continue;
    r.callstack(stack, ids).sample(stack);
    ids.clear();
    ++stack;
  }
  return clock_snapshot() + r.take();
}

std::string mappings(std::size_t n) {
  recorder r;
  r.clear().name(id::mapping_paths, 1, "lib.so").name(id::build_ids, 1, "0123456789abcdef");
  std::uint64_t const path[] = {1};
  for (std::size_t i = 1; i <= n; ++i) r.mapping(i, i << 12, path, 1).frame(i, 0, i, 16);
  return use_all(r, n);
}

std::string frames(std::size_t n) {
  recorder r;
  r.clear();
  for (std::size_t i = 1; i <= n; ++i) r.function(i, "function" + std::to_string(i)).frame(i, i);
  return use_all(r, n);
}

std::string sparse_iids(std::size_t n) {
  // The same, at ids that no array can hold.
  std::uint64_t const step = (std::uint64_t{1} << 63) / (n + 1);
  recorder r;
  r.clear();
  for (std::size_t i = 1; i <= n; ++i)
    r.function(i * step, "function" + std::to_string(i)).frame(i * step, i * step);
  return use_all(r, n, step);
}

std::string backward_iids(std::size_t n) {
  // Ids that come from the top down: what was sparse becomes dense, one id after the other.
  recorder r;
  r.clear();
  for (std::size_t i = n; i >= 1; --i) r.function(i, "f" + std::to_string(i)).frame(i, i);
  return use_all(r, n);
}

std::string redefined_iids(std::size_t n) {
  recorder r;
  r.clear();
  for (std::size_t i = 1; i <= n; ++i) r.function(i % 7, "function" + std::to_string(i)).frame(1, 1);
  return use_all(r, 1);
}

std::string stacks(std::size_t n) {
  // Different stacks of the same few frames.
  recorder r;
  r.clear();
  for (std::uint64_t i = 1; i <= 1'000; ++i) r.function(i, "f" + std::to_string(i)).frame(i, i);
  for (std::uint64_t i = 1; i <= n; ++i) {
    std::uint64_t const ids[] = {1 + i % 1'000, 1 + i / 1'000 % 1'000, 1, 2, 3};
    r.callstack(i, ids).sample(i);
  }
  return clock_snapshot() + r.take();
}

std::string deep_unused(std::size_t n) {
  recorder r;
  r.clear()
      .callstack(1, std::vector<std::uint64_t>(n, 1))
      .frame(1, 0)
      .callstack(2, std::vector<std::uint64_t>(1, 1));
  return clock_snapshot() + r.sample(2).take();
}

std::string clears(std::size_t n) {
  recorder r;
  std::uint64_t const one[] = {1};
  for (std::size_t i = 1; i <= n; ++i)
    r.clear().function(1, "function" + std::to_string(i % 100)).frame(1, 1).callstack(1, one).sample(1);
  return clock_snapshot() + r.take();
}

std::string inline_stacks(std::size_t n) {
  namespace s = fields::stack_sample;
  namespace f = fields::inline_callstack_frame;
  recorder r;
  r.clear();
  for (std::size_t i = 1; i <= n; ++i) {
    message stack;
    for (int k = 0; k < 10; ++k)
      stack.sub(fields::inline_callstack::frames, message()
                                                      .text(f::function_name, "f" + std::to_string(i * 10))
                                                      .text(f::source_file, "a.js")
                                                      .num(f::line_number, static_cast<std::uint64_t>(k)));
    r.packet(message()
                 .num(fields::trace_packet::timestamp, i * 1'000'000)
                 .sub(fields::trace_packet::stack_sample, message().sub(s::callstack, stack)));
  }
  return clock_snapshot() + r.take();
}

constexpr kind kinds[] = {
    {"mappings", mappings, 2'000, "mappings, each used by a frame"},
    {"frames", frames, 4'000, "frames with a name each"},
    {"sparse-iids", sparse_iids, 2'000, "frames at ids far apart"},
    {"backward-iids", backward_iids, 2'000, "frames whose ids count down"},
    {"redefined-iids", redefined_iids, 8'000, "definitions of the same few ids"},
    {"stacks", stacks, 2'000, "callstacks of the same frames"},
    {"deep-unused", deep_unused, 100'000, "ids of one callstack that no sample uses"},
    {"clears", clears, 1'000, "clears"},
    {"inline-stacks", inline_stacks, 500, "samples with an inline callstack"},
};

}  // namespace

std::span<const kind> kinds_of_tables() { return kinds; }

}  // namespace attack
