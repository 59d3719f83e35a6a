// Something large that many things refer to: work in proportion to size times number grows with the square of the input.
#include <vector>

#include "kinds.hpp"
#include "proto/fields.hpp"
#include "recorder.hpp"

namespace attack {
namespace {

namespace fields = profile_relay::proto::fields;
namespace tp = fields::trace_packet;
namespace id = fields::interned_data;

std::uint64_t const one[] = {1};

std::string path_of_mappings(std::size_t n) {
  // Mappings that are one and the same, each with its path to be joined.
  recorder r;
  r.clear().name(id::mapping_paths, 1, std::string(64 * n, 'p'));
  for (std::uint64_t i = 1; i <= n; ++i) r.mapping(i, 0x1000, one).frame(i, 0, i, 1);
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

std::string context_of_samples(std::size_t n) {
  // A context of many fields that nobody knows.
  namespace s = fields::stack_sample;
  message context;
  context.num(1, 1).num(2, 1).num(3, 1);
  for (std::size_t i = 0; i < 8 * n; ++i) context.num(15, 1);
  recorder r;
  r.clear().function(1, "f").frame(1, 1).callstack(1, one).intern(id::stack_sample_task_contexts, context);
  for (std::uint64_t i = 1; i <= n; ++i)
    r.packet(message()
                 .num(tp::timestamp, i)
                 .sub(tp::stack_sample, message().num(s::task_context_iid, 1).num(s::callstack_iid, 1)));
  return clock_snapshot() + r.take();
}

std::string descriptor_of_samples(std::size_t n) {
  namespace s = fields::stack_sample;
  message descriptor;
  descriptor.num(1, 1).num(3, 1);
  for (std::size_t i = 0; i < 8 * n; ++i) descriptor.num(15, 1);
  recorder r;
  r.clear().function(1, "f").frame(1, 1).callstack(1, one).intern(id::stack_sample_counter_descriptors,
                                                                  descriptor);
  for (std::uint64_t i = 1; i <= n; ++i)
    r.packet(
        message()
            .num(tp::timestamp, i)
            .sub(tp::stack_sample, message().num(s::primary_descriptor_iid, 1).num(s::callstack_iid, 1)));
  return clock_snapshot() + r.take();
}

std::string segments_of_module(std::size_t n) {
  // Many segments of one module, and symbols for many addresses: each address is looked for in each segment.
  namespace m = fields::module_symbols;
  namespace a = fields::address_symbols;
  recorder r;
  r.clear().name(id::mapping_paths, 1, "lib.so");
  std::vector<std::uint64_t> ids;
  for (std::uint64_t i = 1; i <= n; ++i) r.mapping(i, i << 12, one).frame(i, 0, i, 1);
  for (std::uint64_t i = 1, stack = 1; i <= n; ++i) {
    ids.push_back(i);
    if (ids.size() < 100 && i != n) continue;
    r.callstack(stack, ids).sample(stack);
    ids.clear();
    ++stack;
  }
  message of_module;
  of_module.text(m::path, "/lib.so");
  for (std::uint64_t i = 1; i <= n; ++i)
    of_module.sub(m::address_symbols, message().num(a::address, 1'000 + i));
  return clock_snapshot() + r.take() + entry(message().sub(tp::module_symbols, of_module));
}

std::string stack_of_intervals(std::size_t n) {
  // A stack of many frames, used once in each of many intervals that define it anew: linear, as each definition is paid.
  recorder r;
  std::vector<std::uint64_t> ids;
  for (std::uint64_t i = 1; i <= 50; ++i) ids.push_back(i);
  for (std::size_t k = 0; k < n / 50; ++k) {
    r.clear().function(1, "f");
    for (auto const i : ids) r.frame(i, 1, 0, 0);
    r.callstack(1, ids).sample(1);
  }
  return clock_snapshot() + r.take();
}

std::string dangling_frames(std::size_t n) {
  // Callstacks that break at their first frame, read to their end each.
  recorder r;
  std::vector<std::uint64_t> const ids(50, 9);
  r.clear();
  for (std::uint64_t i = 1; i <= n / 50; ++i) r.callstack(i, ids).sample(i);
  return clock_snapshot() + r.take();
}

constexpr kind kinds[] = {
    {"path-of-mappings", path_of_mappings, 400, "64 bytes of one path, and mappings that have it"},
    {"context-of-samples", context_of_samples, 400, "16 bytes of one context, and samples that have it"},
    {"descriptor-of-samples", descriptor_of_samples, 400,
     "16 bytes of one descriptor, and samples that have it"},
    {"segments-of-module", segments_of_module, 500, "segments of one module, and addresses with symbols"},
    {"stack-of-intervals", stack_of_intervals, 10'000, "frames, fifty to an interval"},
    {"dangling-frames", dangling_frames, 50'000, "frame ids that nothing defines"},
};

}  // namespace

std::span<const kind> kinds_of_products() { return kinds; }

}  // namespace attack
