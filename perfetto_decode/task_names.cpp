#include "perfetto_decode/task_names.hpp"

#include <array>

#include "perfetto_decode/utf8.hpp"
#include "proto/fields.hpp"

namespace profile_relay::perfetto_decode {
namespace {

std::int64_t int_of(std::uint64_t v) { return static_cast<std::int64_t>(static_cast<std::int32_t>(v)); }

// Ranks of perfetto-decoding 11.
constexpr std::uint8_t rank_tree_thread = 2, rank_chrome_thread = 3, rank_descriptor_thread = 4;
constexpr std::uint8_t rank_chrome_process = 1, rank_process_descriptor = 2, rank_cmdline = 4;

struct thread_fields {
  std::int64_t pid = 0, tid = 0;
  bool has_pid = false, has_tid = false;
  std::uint64_t chrome_type = 0;
  std::string_view name;
};

thread_fields read_thread(byte_span message) {
  namespace f = proto::fields::thread_descriptor;
  thread_fields t;
  wire_reader r(message);
  while (r.next()) {
    if (r.is_varint()) switch (r.number()) {
        case f::pid:
          t.pid = int_of(r.value());
          t.has_pid = true;
          break;
        case f::tid:
          t.tid = int_of(r.value());
          t.has_tid = true;
          break;
        case f::chrome_thread_type:
          t.chrome_type = r.value();
          break;
        default:
          break;
      }
    else if (r.is_bytes() && r.number() == f::thread_name)
      t.name = text_of(r.bytes());
  }
  return t;
}

}  // namespace

std::string_view chrome_thread_name(std::uint64_t type) {
  switch (type) {
    case 1:
      return "CrProcessMain";
    case 2:
      return "ChromeIOThread";
    case 3:
      return "ThreadPoolBackgroundWorker&";
    case 4:
      return "ThreadPoolForegroundWorker&";
    case 5:
      return "ThreadPoolSingleThreadForegroundBlocking&";
    case 6:
      return "ThreadPoolSingleThreadBackgroundBlocking&";
    case 7:
      return "ThreadPoolService";
    case 8:
      return "Compositor";
    case 9:
      return "VizCompositorThread";
    case 10:
      return "CompositorTileWorker&";
    case 11:
      return "ServiceWorkerThread&";
    case 12:
      return "NetworkService";
    case 13:
      return "Chrome_ChildIOThread";
    case 14:
      return "Chrome_IOThread";
    case 15:
      return "CrBrowserMain";
    case 16:
      return "CrRendererMain";
    case 17:
      return "CrUtilityMain";
    case 18:
      return "CrGpuMain";
    case 50:
      return "MemoryInfra";
    case 51:
      return "StackSamplingProfiler";
    default:
      return {};
  }
}

std::string_view chrome_process_name(std::uint64_t type) {
  constexpr std::array<std::string_view, 9> names{
      "", "Browser", "Renderer", "Utility", "Zygote", "SandboxHelper", "Gpu", "PpapiPlugin", "PpapiBroker"};
  return type < names.size() ? names[type] : std::string_view{};
}

void task_names::add(place const& at, kind what, std::int64_t pid, std::int64_t tid, std::string_view text,
                     std::uint8_t rank, counters& counts) {
  if (text.empty()) return;
  if (!is_utf8(text)) {
    counts.add(counter::invalid_utf8_string);
    return;
  }
  if (at.copy) text = text_of(keep_->copy(std::as_bytes(std::span(text.data(), text.size()))));
  events_.push_back({at.machine, at.time, 0, pid, tid, text, rank, what, first_of_packet_});
  first_of_packet_ = false;
}

void task_names::process_of_tree(byte_span message, place const& at, counters& counts) {
  namespace f = proto::fields::process_tree_process;
  std::int64_t pid = 0, ppid = 0;
  bool is_comm = false;
  std::string_view first;
  std::uint32_t words = 0;
  wire_reader r(message);
  while (r.next()) {
    if (r.is_varint() && r.number() == f::pid) pid = int_of(r.value());
    if (r.is_varint() && r.number() == f::ppid) ppid = int_of(r.value());
    if (r.is_varint() && r.number() == f::cmdline_is_comm) is_comm = r.value() != 0;
    if (r.is_bytes() && r.number() == f::cmdline && words++ == 0) first = text_of(r.bytes());
  }
  if (words == 0) return;
  std::string_view const executable = first;
  if (words == 1) first = first.substr(0, first.find(' '));
  if (ppid == 2 && first.starts_with("kworker/")) first = first.substr(0, first.find_first_of("+-"));
  if (is_comm) add(at, kind::thread, pid, pid, first, rank_tree_thread, counts);
  add(at, kind::process, pid, 0, first, rank_cmdline, counts);
  if (!is_comm) add(at, kind::executable, pid, 0, words == 1 ? first : executable, rank_cmdline, counts);
}

void task_names::process_tree(byte_span message, place const& at, counters& counts) {
  namespace f = proto::fields::process_tree;
  namespace t = proto::fields::process_tree_thread;
  wire_reader r(message);
  while (r.next()) {
    if (!r.is_bytes()) continue;
    if (r.number() == f::processes) process_of_tree(r.bytes(), at, counts);
    if (r.number() != f::threads) continue;
    std::int64_t tid = 0, tgid = 0;
    std::string_view name;
    wire_reader th(r.bytes());
    while (th.next()) {
      if (th.is_varint() && th.number() == t::tid) tid = int_of(th.value());
      if (th.is_varint() && th.number() == t::tgid) tgid = int_of(th.value());
      if (th.is_bytes() && th.number() == t::name) name = text_of(th.bytes());
    }
    add(at, kind::thread, tgid, tid, name, rank_tree_thread, counts);
  }
}

void task_names::process_descriptor(byte_span message, place const& at, counters& counts) {
  process_descriptor(message, 0, at, counts);
}

void task_names::process_descriptor(byte_span message, std::uint64_t chrome_type, place const& at,
                                    counters& counts) {
  namespace f = proto::fields::process_descriptor;
  std::int64_t pid = 0;
  std::string_view name, first;
  bool has_cmdline = false;
  wire_reader r(message);
  while (r.next()) {
    if (r.is_varint() && r.number() == f::pid) pid = int_of(r.value());
    if (r.is_varint() && r.number() == f::chrome_process_type && chrome_type == 0) chrome_type = r.value();
    if (r.is_bytes() && r.number() == f::process_name) name = text_of(r.bytes());
    if (r.is_bytes() && r.number() == f::cmdline && !has_cmdline) {
      first = text_of(r.bytes());
      has_cmdline = true;
    }
  }
  place fixed = at;
  fixed.copy = false;
  add(fixed, kind::process, pid, 0, chrome_process_name(chrome_type), rank_chrome_process, counts);
  add(at, kind::process, pid, 0, name, rank_process_descriptor, counts);
  add(at, kind::executable, pid, 0, first, rank_process_descriptor, counts);
}

void task_names::thread_descriptor(byte_span message, place const& at, counters& counts) {
  auto const t = read_thread(message);
  auto const name = t.name.empty() ? chrome_thread_name(t.chrome_type) : t.name;
  place where = at;
  where.copy = at.copy && !t.name.empty();
  if (t.has_tid) add(where, kind::thread, t.pid, t.tid, name, rank_descriptor_thread, counts);
}

void task_names::track_descriptor(byte_span message, place const& at, counters& counts) {
  namespace f = proto::fields::track_descriptor;
  byte_span process, thread, chrome_process, chrome_thread;
  wire_reader r(message);
  while (r.next()) {
    if (!r.is_bytes()) continue;
    if (r.number() == f::process) process = r.bytes();
    if (r.number() == f::thread) thread = r.bytes();
    if (r.number() == f::chrome_process) chrome_process = r.bytes();
    if (r.number() == f::chrome_thread) chrome_thread = r.bytes();
  }
  if (process.data() != nullptr) {
    std::uint64_t type = 0;
    wire_reader c(chrome_process);
    while (c.next())
      if (c.is_varint() && c.number() == proto::fields::chrome_process_descriptor::process_type)
        type = c.value();
    process_descriptor(process, type, at, counts);
  }
  if (thread.data() == nullptr) return;
  auto const t = read_thread(thread);
  if (!t.has_pid || !t.has_tid) return;
  if (chrome_thread.data() != nullptr) {
    wire_reader c(chrome_thread);
    std::uint64_t type = 0;
    while (c.next())
      if (c.is_varint() && c.number() == proto::fields::chrome_thread_descriptor::thread_type)
        type = c.value();
    place where = at;
    where.copy = false;
    add(where, kind::thread, t.pid, t.tid, chrome_thread_name(type), rank_chrome_thread, counts);
  }
  thread_descriptor(thread, at, counts);
}

void task_names::apply(event const& e) {
  switch (e.what) {
    case kind::thread: {
      auto& v = threads_[{e.machine, e.pid, e.tid}];
      if (e.rank >= v.rank) v = {e.text, e.rank};
      pid_of_tid_[{e.machine, e.tid}] = e.pid;
      break;
    }
    case kind::process: {
      auto& v = processes_[{e.machine, e.pid}].name;
      if (e.rank >= v.rank) v = {e.text, e.rank};
      break;
    }
    case kind::executable:
      processes_[{e.machine, e.pid}].executable = e.text;
      break;
  }
}

void task_names::name(task& t) const {
  if (t.has_tid) {
    std::int64_t pid = t.pid;
    if (!t.has_pid)
      if (auto it = pid_of_tid_.find({t.machine, t.tid}); it != pid_of_tid_.end()) pid = it->second;
    if (auto it = threads_.find({t.machine, pid, t.tid}); it != threads_.end())
      t.thread_name = it->second.text;
    if (t.has_pid && t.pid == 0 && t.tid == 0) t.thread_name = "swapper";
  }
  if (!t.has_pid) return;
  if (auto it = processes_.find({t.machine, t.pid}); it != processes_.end()) {
    t.process_name = it->second.name.text;
    t.executable = it->second.executable;
  }
}

}  // namespace profile_relay::perfetto_decode
