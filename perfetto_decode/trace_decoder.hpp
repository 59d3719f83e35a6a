#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <tuple>

#include "perfetto_decode/arena.hpp"
#include "perfetto_decode/clock_graph.hpp"
#include "perfetto_decode/decoded_trace.hpp"
#include "perfetto_decode/interval.hpp"
#include "perfetto_decode/packet.hpp"
#include "perfetto_decode/stack_resolver.hpp"
#include "perfetto_decode/string_table.hpp"
#include "perfetto_decode/task_names.hpp"
#include "perfetto_decode/time_ref.hpp"
#include "perfetto_decode/trace_reader.hpp"

namespace profile_relay::perfetto_decode {

struct time_key;

/// What outlives the decoder: copies of strings whose source was a bundle. The budgets must outlive the
/// arena.
struct decoded_storage {
  explicit decoded_storage(limits const& lim) : result(lim.result_bytes, errc::result_memory), keep(result) {}
  memory_budget result;
  arena keep;
};

/// Decodes one trace. One instance, one call of `run`.
///
/// Packets stream by once; each sample is recorded as (reference to a callstack of its interval, clock, raw
/// time, task). Intervals are resolved when they end, clocks when all snapshots are known. The parts:
/// trace_reader (where packets are), packet (their top level), interval and stack_resolver (interning),
/// clock_graph, task_names; this class holds the order of work for one packet (perfetto-decoding 3) and the
/// state of sequences (4).
class trace_decoder final : packet_sink {
 public:
  /// `packet_offset` is kept at the packet being read, for the message of a refusal.
  trace_decoder(limits const& lim, std::size_t& packet_offset);

  result<decoded_trace> run(byte_span trace);

 private:
  // What decides whether a sample is CPU time (perfetto-decoding 6).
  struct packet_defaults {
    std::uint32_t clock_id = 0;
    bool perf_cpu_time = true;
    bool stack_sample_cpu_time = true;
  };
  struct sequence {
    std::uint32_t machine = 0, id = 0;
    std::uint32_t index = 0;  // in order of first sight
    bool seen = false;        // a packet of it was met before
    bool valid = false;       // incremental state
    packet_defaults defaults;
    std::optional<interval> current;
    // The thread descriptor outlives clears; the reference time does not.
    bool has_thread = false, has_reference = false;
    std::int64_t pid = 0, tid = 0;
    std::int64_t reference_ns = 0;
    // The node of the clock id used last.
    std::uint32_t cached_clock_id = 0;
    clock_graph::node cached_clock = clock_graph::no_node;
    // Callstacks that samples use, to be resolved when the interval ends.
    struct used_callstack {
      std::uint64_t iid;
      std::uint32_t ref;
      bool of_stack_sample;
    };
    budget_vector<used_callstack> used;
    // StackSamples whose contexts are interned: the entry may still come.
    struct pending_context {
      std::uint32_t record;
      std::uint64_t task_iid, descriptor_iid;
      bool has_task, has_descriptor;
    };
    budget_vector<pending_context> pending;

    explicit sequence(memory_budget& working) : used(working), pending(working) {}
  };
  // A sample, in 32 bytes: there are many.
  struct record {
    std::int64_t time = 0;                       // time_ref::raw; resolved: trace time or wall time
    std::uint32_t clock = time_ref::trace_time;  // time_ref::clock
    std::uint32_t ref = none;                    // into refs_; none = no callstack
    std::uint32_t task = none;
    std::uint32_t sequence = none, cpu = 0;  // the stream, which decides the timebase
    sample_source source = sample_source::perf_sample;
    bool cpu_time = true;
    bool marker = false;  // a loss report: no sample, but it fixes its stream's timebase
    // After the last packet: what `time` has become; dropped ones keep the counter that says why in `ref`.
    enum class resolved : std::uint8_t { not_yet, trace_time, wall_time, dropped } state = resolved::not_yet;

    void drop(counter why) {
      state = resolved::dropped;
      ref = static_cast<std::uint32_t>(why);
    }
  };
  static_assert(sizeof(record) == 32);
  struct task_key {
    std::uint32_t machine;
    std::int64_t pid, tid;
    bool has_pid, has_tid;
    bool operator==(task_key const&) const = default;
  };
  struct base_time {
    time_ref time;
    std::int64_t trace_time = 0, wall_time = 0;
    bool has_trace_time = false, has_wall_time = false;
    bool exhausted = false;  // a sample before time zero: the rest of its packet is dropped
    counter failure{};
  };
  bool fail(errc code, std::string what);
  bool on_packet(packet_view const& packet, packet_place const& place) override;

  // packets
  bool process(packet_view const& p);
  sequence* sequence_of(packet_view const& p) {
    bool const same = last_sequence_ != nullptr && last_sequence_->id == p.sequence_id &&
                      last_sequence_->machine == p.machine_id;
    return same ? last_sequence_ : find_sequence(p);
  }
  sequence* find_sequence(packet_view const& p);
  bool start_interval(sequence& s);
  bool end_interval(sequence& s);
  void read_defaults(sequence& s, byte_span message);
  void describe(packet_view const& p, sequence* s, time_ref t);
  void on_clock_snapshot(packet_view const& p);
  void on_remote_clock_sync(packet_view const& p);
  void note_thread(sequence& s, byte_span thread_descriptor, bool needs_both);
  time_ref time_of(packet_view const& p, sequence* s);

  // samples
  bool perf_sample(packet_view const& p, sequence* s, time_ref t);
  bool stack_sample(packet_view const& p, sequence* s, time_ref t);
  bool streaming_profile(packet_view const& p, sequence* s, time_ref t);
  bool add_record(record const& r) {
    if (++out_.sample_records >= limits_.samples) return too_many_samples();
    any_missing_time_ |= r.clock == time_ref::missing;
    records_.push_back(r);
    return true;
  }
  bool too_many_samples();
  std::uint32_t use_callstack(sequence* s, std::uint64_t iid, bool of_stack_sample) {
    if (s == nullptr || !s->current) return 0;  // nothing is interned: an invalid callstack
    auto const known = s->current->callstacks.obtain(iid)->refs[of_stack_sample ? 1 : 0];
    return known != interval::unresolved ? known : first_use(*s, iid, of_stack_sample);
  }
  std::uint32_t first_use(sequence& s, std::uint64_t iid, bool of_stack_sample);
  std::uint32_t task_of(task_key const& k);
  std::uint32_t task_of_pair(std::uint32_t pid, std::uint32_t tid) {
    auto const pair = (std::uint64_t{pid} << 32) | tid;
    auto const slot = tid % recent_tasks;
    if (pair != 0 && recent_pairs_[slot] == pair) return recent_pair_ids_[slot];
    auto const id = task_of({0, pid, tid, true, true});
    recent_pairs_[slot] = pair;
    recent_pair_ids_[slot] = id;
    return id;
  }
  void resolve_pending(sequence& s);
  bool refused(stack_resolver const& r);

  // after the last packet
  bool finish();
  void resolve_bases();
  void resolve_record(record& r);
  bool resolve_time(time_ref t, std::int64_t& trace_time, counter& why);
  void resolve_missing();
  void note_time(time_ref t);
  bool cpu_time_of_stream(record const& r);
  std::int64_t greatest_before(time_ref t) const;
  budget_vector<time_key> time_order();
  void emit();
  void name_tasks();

  limits limits_;
  std::shared_ptr<decoded_storage> storage_;
  memory_budget working_;
  decoded_trace out_;
  string_table strings_;
  stack_resolver stacks_;
  clock_graph clocks_;
  task_names names_;
  budget_map<std::pair<std::uint32_t, std::uint32_t>, sequence> sequences_;  // by machine and id
  sequence* last_sequence_ = nullptr;
  value_index task_index_;
  hash_seed task_seed_;
  // The last few tasks, by the low bits of their tid: a look-up of the index for each sample would cost more.
  static constexpr std::size_t recent_tasks = 64;
  std::array<task_key, recent_tasks> recent_keys_{};
  // The same for a host's task with pid and tid, in one word each; 0 is no such task.
  std::array<std::uint64_t, recent_tasks> recent_pairs_{};
  std::array<std::uint32_t, recent_tasks> recent_pair_ids_{};
  std::array<std::uint32_t, recent_tasks> recent_ids_;
  budget_vector<record> records_;
  budget_vector<stack_ref> refs_;
  budget_vector<base_time> bases_;
  // Of packets without samples: those that raised their clock's greatest reading, and that reading by node.
  budget_vector<time_ref> marks_;
  budget_vector<std::int64_t> greatest_;
  budget_vector<std::int64_t> greatest_of_records_,
      greatest_of_marks_;  // running, for packets without a time
  budget_vector<clock_graph::reading> readings_;
  budget_vector<byte_span> module_symbols_;
  budget_map<std::tuple<std::uint32_t, std::uint32_t, std::uint32_t>, bool>
      streams_;                               // (machine, sequence, cpu): CPU time?
  budget_map<std::uint32_t, char> machines_;  // foreign ones
  std::uint32_t first_machine_ = 0, last_machine_ = 0;
  std::size_t& packet_offset_;
  bool host_seen_ = false;
  clock_graph::node host_default_ = clock_graph::no_node;  // cached until the next snapshot
  bool host_default_known_ = false;
  bool copy_ = false;  // the bytes being read go away
  bool any_missing_time_ = false;
  bool any_other_timebase_ = false;
  bool failed_ = false;
  error error_{};
};

}  // namespace profile_relay::perfetto_decode
