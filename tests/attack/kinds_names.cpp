// Tasks, their names, and symbols.
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

recorder begun() {
  recorder r;
  r.clear().function(1, "f").frame(1, 1).callstack(1, one);
  return r;
}

std::string tasks(std::size_t n) {
  auto r = begun();
  for (std::uint32_t i = 1; i <= n; ++i) r.sample(1, i);
  return clock_snapshot() + r.take();
}

std::string main_threads(std::size_t n) {
  // What many processes look like; nobody has to be hostile for this.
  auto r = begun();
  for (std::uint32_t i = 1; i <= n; ++i) r.sample(1, i, i);
  return clock_snapshot() + r.take();
}

std::string process_tree(std::size_t n) {
  namespace t = fields::process_tree_thread;
  namespace p = fields::process_tree_process;
  std::string out = clock_snapshot();
  message tree;
  for (std::size_t i = 1; i <= n; ++i) {
    tree.sub(fields::process_tree::threads,
             message().num(t::tid, i).num(t::tgid, i / 10).text(t::name, "thread" + std::to_string(i)));
    if (i % 10 == 0)
      tree.sub(fields::process_tree::processes, message()
                                                    .num(p::pid, i / 10)
                                                    .text(p::cmdline, "/bin/x" + std::to_string(i))
                                                    .text(p::cmdline, "-v"));
    if (tree.size() < (1u << 20) && i != n) continue;
    out += entry(message().num(tp::timestamp, i).sub(tp::process_tree, tree));
    tree.clear();
  }
  auto r = begun();
  return out + r.sample(1).take();
}

std::string descriptors(std::size_t n) {
  namespace t = fields::thread_descriptor;
  auto r = begun();
  for (std::size_t i = 1; i <= n; ++i) {
    message m;
    m.num(t::pid, 1).num(t::tid, i % 1'000).text(t::thread_name, std::string(200, 'n') + std::to_string(i));
    r.packet(message().num(tp::timestamp, 2 * n - i).sub(tp::thread_descriptor, m));
  }
  return clock_snapshot() + r.sample(1).take();
}

/// n frames at the addresses 1 to n of one mapping, and its ModuleSymbols.
std::string symbols(std::size_t n) {
  namespace m = fields::module_symbols;
  namespace a = fields::address_symbols;
  recorder r;
  r.clear().name(id::mapping_paths, 1, "lib.so").mapping(1, 0x1000, one);
  std::vector<std::uint64_t> ids;
  for (std::uint64_t i = 1; i <= n; ++i) r.frame(i, 0, 1, i);
  for (std::uint64_t i = 1, stack = 1; i <= n; ++i) {
    ids.push_back(i);
    if (ids.size() < 100 && i != n) continue;
    r.callstack(stack, ids).sample(stack);
    ids.clear();
    ++stack;
  }
  message of_module;
  of_module.text(m::path, "/lib.so");
  for (std::uint64_t i = n; i >= 1; --i)
    of_module.sub(
        m::address_symbols,
        message()
            .num(a::address, i)
            .sub(a::lines, message().text(1, "inlined" + std::to_string(i)).text(2, "a.cc").num(3, 7)));
  return clock_snapshot() + r.take() + entry(message().sub(tp::module_symbols, of_module));
}

std::string modules(std::size_t n) {
  // ModuleSymbols of modules that no frame has.
  namespace m = fields::module_symbols;
  std::string out = clock_snapshot();
  std::uint64_t const path[] = {1};
  recorder r;
  r.clear()
      .name(id::mapping_paths, 1, "lib.so")
      .mapping(1, 0x1000, path)
      .frame(1, 0, 1, 1)
      .callstack(1, one)
      .sample(1);
  for (std::size_t i = 1; i <= n; ++i)
    out += entry(message().sub(tp::module_symbols,
                               message().text(m::path, "/lib" + std::to_string(i)).text(m::build_id, "x")));
  return out + r.take();
}

std::string streams(std::size_t n) {
  // Samples of other events on a CPU each: every one is a stream with a timebase of its own.
  namespace d = fields::trace_packet_defaults;
  namespace p = fields::perf_sample;
  auto r = begun();
  message const timebase = message().num(fields::perf_events_timebase::counter, 2);
  r.packet(message().sub(tp::trace_packet_defaults,
                         message().sub(d::perf_sample_defaults,
                                       message().sub(fields::perf_sample_defaults::timebase, timebase))));
  for (std::uint64_t i = 1; i <= n; ++i)
    r.packet(message()
                 .num(tp::timestamp, i)
                 .sub(tp::perf_sample, message().num(p::cpu, i).num(p::tid, 1).num(p::callstack_iid, 1)));
  return clock_snapshot() + r.take();
}

constexpr kind kinds[] = {
    {"tasks", tasks, 4'000, "threads of one process"},
    {"main-threads", main_threads, 1'000, "processes with one thread"},
    {"process-tree", process_tree, 4'000, "threads of a process tree"},
    {"descriptors", descriptors, 2'000, "thread descriptors, latest first"},
    {"symbols", symbols, 2'000, "frames of one mapping, with symbols each"},
    {"modules", modules, 8'000, "modules with symbols that nobody uses"},
    {"streams", streams, 4'000, "CPUs"},
};

}  // namespace

std::span<const kind> kinds_of_names() { return kinds; }

}  // namespace attack
