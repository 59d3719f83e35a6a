#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "perfetto_decode/budget.hpp"
#include "perfetto_decode/counters.hpp"
#include "perfetto_decode/error.hpp"
#include "perfetto_decode/limits.hpp"
#include "perfetto_decode/packet.hpp"

namespace profile_relay::perfetto_decode {

class inflater;
enum class packing : std::uint8_t;
enum class walk_end : std::uint8_t;

/// Where a packet was found.
struct packet_place {
  std::size_t offset =
      0;            ///< bytes from the start of the (inflated) trace; in a bundle, the offset of the bundle
  byte_span bytes;  ///< the whole packet
  bool transient = false;  ///< the bytes go away after the call: what is kept must be copied
};

/// A packet that held a bundle, after its packets were handed out.
struct bundle_note {
  packing how;
  std::size_t offset = 0;  ///< of the packet that holds it
  std::size_t packed = 0, inflated = 0;
};

/// Takes the packets of a trace. One indirect call for each packet.
class packet_sink {
 public:
  /// False stops the reader; the sink then knows why.
  virtual bool on_packet(packet_view const& packet, packet_place const& place) = 0;
  virtual void on_bundle(bundle_note const& /*bundle*/) {}

 protected:
  ~packet_sink() = default;
};

/// Finds the packets of one trace in file order: plain, gzip or zstd files; bundles expanded in place; within the
/// limits for packets, packet sizes and inflated bytes. It reads what precedes damage and counts the damage.
/// One instance, one call of `run`. Source: perfetto-decoding 2.
class trace_reader {
 public:
  /// `working` is charged for windows and inflaters (budget_refused), `counts` gets packet_truncated, packet_corrupt and
  /// bundle_corrupt. All must outlive the reader.
  trace_reader(limits const& lim, memory_budget& working, counters& counts, packet_sink& sink)
      : limits_(lim),
        working_(&working),
        counts_(&counts),
        sink_(&sink),
        file_window_(working),
        bundle_window_(working) {}

  /// False when the trace is refused as a whole (`failure` says why), or the sink stopped it.
  bool run(byte_span trace);

  error const& failure() const { return error_; }
  bool failed() const { return failed_; }                ///< refused by the reader, not by the sink
  std::uint64_t packets() const { return packets_; }     ///< including those inside bundles
  std::size_t offset() const { return packet_offset_; }  ///< of the packet read last, or of the end
  std::optional<packing> file_packing() const { return file_packing_; }  ///< absent = plain
  std::size_t file_inflated() const {
    return file_inflated_;
  }  ///< of a compressed file, as far as it was read
  static constexpr char working_exceeded[] = "interning tables exceed profiling.max_working_memory";

 private:
  bool fail(errc code, std::string what);
  void note_corrupt(counter c, std::size_t offset);
  void run_plain(byte_span trace);
  void run_compressed(byte_span trace, packing how);
  walk_end walk_file(inflater& in);
  walk_end walk_bundle(inflater& in, std::size_t offset);
  using window = budget_vector<std::byte>;
  template <class Count, class At>
  walk_end walk_window(inflater& in, window& w, bool only_packets, Count&& count, At&& at);
  bool on_packet(byte_span bytes, std::size_t offset);
  bool on_bundle(byte_span payload, packing how, std::size_t offset);
  /// To `size` bytes, of which the first `have` are kept.
  void grow(window& w, std::size_t size, std::size_t have);
  bool count_inflated(std::size_t n);

  limits limits_;
  memory_budget* working_;
  counters* counts_;
  packet_sink* sink_;
  window file_window_, bundle_window_;
  packet_view packet_;
  std::uint64_t packets_ = 0;
  std::optional<packing> file_packing_;
  std::size_t inflated_ = 0;  // of the file and of all bundles
  std::size_t file_inflated_ = 0;
  std::size_t packet_offset_ = 0;
  bool inside_bundle_ = false;
  bool transient_ = false;  // the bytes being read go away
  bool read_any_ = false;   // a packet that is no bundle
  bool damaged_ = false;    // the rest of the input is dropped
  bool sink_stopped_ = false;
  bool failed_ = false;
  error error_{};
};

}  // namespace profile_relay::perfetto_decode
