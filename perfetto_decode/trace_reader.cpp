#include "perfetto_decode/trace_reader.hpp"

#include <algorithm>
#include <cstring>

#include "perfetto_decode/container.hpp"
#include "perfetto_decode/inflate.hpp"

namespace profile_relay::perfetto_decode {
namespace {

constexpr std::size_t window_start = 64u << 10;
// A bundle up to this size is inflated whole before it is read; the service writes them under 512 KiB.
constexpr std::size_t whole_bundle = 1u << 20;

}  // namespace

bool trace_reader::fail(errc code, std::string what) {
  if (!failed_) error_ = {code, packet_offset_, std::move(what)};
  failed_ = true;
  return false;
}

void trace_reader::note_corrupt(counter c, std::size_t offset) {
  counts_->add(c);
  counts_->corrupt_offset = offset;
  damaged_ = true;
}

bool trace_reader::run(byte_span trace) {
  if (auto const packed = packing_of_file(trace))
    run_compressed(trace, *packed);
  else
    run_plain(trace);
  if (!failed_ && !read_any_ && damaged_)
    fail(errc::unreadable, "the input is not a Perfetto trace from its first packet on");
  return !failed_ && !sink_stopped_;
}

void trace_reader::run_plain(byte_span trace) {
  auto const r = walk_packets(trace, limits_.packet_bytes, false,
                              [&](byte_span p, std::size_t at) { return on_packet(p, at); });
  packet_offset_ = r.used;
  if (r.end == walk_end::too_large)
    fail(errc::packet_too_large, "a packet exceeds profiling.max_packet_size");
  if (r.end == walk_end::corrupt) note_corrupt(counter::packet_corrupt, r.used);
  if (r.end == walk_end::incomplete) counts_->add(counter::packet_truncated);
}

bool trace_reader::count_inflated(std::size_t n) {
  inflated_ += n;
  return inflated_ <= limits_.inflated_bytes ||
         fail(errc::too_many_inflated, "the trace inflates to more than profiling.max_profile_size allows");
}

void trace_reader::grow(window& w, std::size_t size, std::size_t have) {
  if (size <= w.size()) return;
  window larger(size, *working_);
  std::copy(w.begin(), w.begin() + static_cast<std::ptrdiff_t>(have), larger.begin());
  w = std::move(larger);
}

/// Reads packets through a window that holds one packet. `count` is told of each piece of output and may stop;
/// `at` makes the offset that is reported out of the one in the output.
template <class Count, class At>
walk_end trace_reader::walk_window(inflater& in, window& w, bool only_packets, Count&& count, At&& at) {
  std::size_t have = 0, consumed = 0;
  grow(w, window_start, 0);
  for (;;) {
    std::size_t const n = in.read(std::span(w).subspan(have));
    if (!count(n)) return walk_end::stopped;
    have += n;
    auto const r = walk_packets(byte_span(w.data(), have), limits_.packet_bytes, only_packets,
                                [&](byte_span p, std::size_t o) { return on_packet(p, at(consumed + o)); });
    packet_offset_ = at(consumed + r.used);
    if (r.end != walk_end::all && r.end != walk_end::incomplete) return r.end;
    std::memmove(w.data(), w.data() + r.used, have - r.used);
    have -= r.used;
    consumed += r.used;
    if (in.status() != inflater::state::running) return have == 0 ? walk_end::all : walk_end::incomplete;
    if (r.needed > limits_.packet_bytes + 16)
      return walk_end::too_large;  // a field that is no packet, past any use
    // To what the packet needs and no further; a field whose length is not known yet is a few bytes.
    grow(w, r.needed != 0 ? r.needed : have + 16, have);
  }
}

walk_end trace_reader::walk_file(inflater& in) {
  auto const count = [this](std::size_t n) {
    file_inflated_ += n;
    return count_inflated(n);
  };
  return walk_window(in, file_window_, false, count, [](std::size_t o) { return o; });
}

/// Its output was counted already. Packets of a bundle are where the bundle is.
walk_end trace_reader::walk_bundle(inflater& in, std::size_t offset) {
  return walk_window(
      in, bundle_window_, true, [](std::size_t) { return true; }, [&](std::size_t) { return offset; });
}

void trace_reader::run_compressed(byte_span trace, packing how) {
  inflater in(how, trace, *working_);
  file_packing_ = how;
  transient_ = true;
  auto const end = walk_file(in);
  transient_ = false;
  if (failed_ || sink_stopped_) return;
  if (end == walk_end::too_large) fail(errc::packet_too_large, "a packet exceeds profiling.max_packet_size");
  if (end == walk_end::corrupt || (end != walk_end::stopped && in.status() == inflater::state::damaged))
    note_corrupt(counter::packet_corrupt, packet_offset_);
  else if (end == walk_end::incomplete || in.status() == inflater::state::truncated)
    counts_->add(counter::packet_truncated);
}

bool trace_reader::on_bundle(byte_span payload, packing how, std::size_t offset) {
  if (inside_bundle_) return fail(errc::nested_bundle, "a compressed bundle inside a compressed bundle");
  bool const outer = transient_;
  std::size_t const inflated_before = inflated_;
  inside_bundle_ = transient_ = true;
  auto corrupt = [&] {
    note_corrupt(counter::bundle_corrupt, offset);
    return false;
  };
  auto read = [&] {
    inflater in(how, payload, *working_);
    std::size_t have = 0;
    grow(bundle_window_, window_start, 0);
    while (in.status() == inflater::state::running && have < whole_bundle) {
      if (have == bundle_window_.size()) grow(bundle_window_, have * 2, have);
      std::size_t const n = in.read(std::span(bundle_window_).subspan(have));
      if (!count_inflated(n)) return false;
      have += n;
    }
    if (in.status() == inflater::state::done) {
      auto const r = walk_packets(byte_span(bundle_window_.data(), have), limits_.packet_bytes, true,
                                  [&](byte_span p, std::size_t) { return on_packet(p, offset); });
      if (r.end == walk_end::too_large)
        return fail(errc::packet_too_large, "a packet inside a bundle exceeds profiling.max_packet_size");
      return r.end == walk_end::all || (r.end != walk_end::stopped && corrupt());
    }
    // A large one: first see that it is whole, then read it through a window. Nothing of a corrupt bundle
    // counts.
    while (in.status() == inflater::state::running)
      if (!count_inflated(in.read(std::span(bundle_window_)))) return false;
    if (in.status() != inflater::state::done) return corrupt();
    in.restart(payload);
    auto const end = walk_bundle(in, offset);
    if (end == walk_end::too_large)
      return fail(errc::packet_too_large, "a packet inside a bundle exceeds profiling.max_packet_size");
    return end == walk_end::all || (end != walk_end::stopped && corrupt());
  };
  bool const ok = read();
  inside_bundle_ = false;
  transient_ = outer;
  sink_->on_bundle({how, offset, payload.size(), inflated_ - inflated_before});
  return ok;
}

bool trace_reader::on_packet(byte_span bytes, std::size_t offset) {
  packet_offset_ = offset;
  auto& p = packet_;
  if (!parse_packet(bytes, p)) {
    note_corrupt(counter::packet_corrupt, offset);
    return false;
  }
  if (++packets_ >= limits_.packets)
    return fail(errc::too_many_packets,
                "packets reach profiling.max_packets = " + std::to_string(limits_.packets));
  if (p.compressed_packets.present())
    return on_bundle(p.compressed_packets.bytes(), packing::zlib_stream, offset);
  if (p.zstd_compressed_packets.present())
    return on_bundle(p.zstd_compressed_packets.bytes(), packing::zstd_frame, offset);
  read_any_ = true;
  if (sink_->on_packet(p, {offset, bytes, transient_})) return true;
  sink_stopped_ = true;
  return false;
}

}  // namespace profile_relay::perfetto_decode
