#include "perfetto_decode/counters.hpp"

#include <algorithm>

namespace profile_relay::perfetto_decode {
namespace {

constexpr std::array<counter_info, counter_count> table{{
#define X(id, sev, text) {counter::id, #id, severity::sev, text},
    PROFILE_RELAY_DECODE_COUNTERS(X)
#undef X
}};

constexpr std::array<std::string_view, std::tuple_size_v<decltype(counters::unwind_errors)>> unwind_names{
    "UNKNOWN",     "NONE",        "MEMORY_INVALID",      "UNWIND_INFO",
    "UNSUPPORTED", "INVALID_MAP", "MAX_FRAMES_EXCEEDED", "REPEATED_FRAME",
    "INVALID_ELF", "SYSTEM_CALL", "THREAD_TIMEOUT",      "THREAD_DOES_NOT_EXIST",
    "BAD_ARCH",    "MAPS_PARSE",  "INVALID_PARAMETER",   "PTRACE_CALL",
    "OTHER"};

}  // namespace

std::span<const counter_info> counter_table() { return table; }
std::span<const std::string_view> unwind_error_names() { return unwind_names; }

bool counters::any_loss() const {
  for (auto const& row : table)
    if (row.level == severity::loss && (*this)[row.id] != 0) return true;
  return false;
}

void count_loss_reasons(std::uint32_t bits, loss_counts& to) {
  constexpr std::size_t known = packet_loss_names.size() - 1;
  for (std::size_t bit = 0; bit < known; ++bit) to[bit] += (bits >> bit) & 1u;
  if ((bits >> known) != 0) ++to[known];
}

void counters::add_packet_loss(std::uint32_t reason_bits) {
  add(counter::previous_packet_dropped);
  count_loss_reasons(reason_bits, packet_losses);
}

void counters::add_lost_records(std::uint32_t cpu, std::uint64_t n) {
  add(counter::perf_cpu_lost_records, n);
  auto const at = lost_records_by_cpu.find(cpu);
  bool const room = at != lost_records_by_cpu.end() || lost_records_by_cpu.size() + 1 < max_cpus;
  auto& sum = lost_records_by_cpu[room ? cpu : other_cpus];
  sum = sum > ~n ? ~std::uint64_t{0} : sum + n;
}

}  // namespace profile_relay::perfetto_decode
