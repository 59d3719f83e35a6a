#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// Deterministic Perfetto traces for the demo, the tests and the benchmarks: same arguments, same bytes.
namespace profile_relay::trace_maker {

/// When the last sample is taken, Unix seconds, unless the caller says otherwise.
inline constexpr std::int64_t default_now = 1'790'000'000;

struct made_trace {
  std::string bytes;
  std::size_t samples = 0;
  std::size_t threads = 0;
  std::size_t frames = 0;  ///< distinct, as interned
  std::size_t stacks = 0;  ///< distinct, as interned
  std::int64_t span_ns = 0;
};

/// What an Android app's chunk looks like: 25 s of a shop app at 101 Hz, a dozen named threads, Java frames
/// (.odex, boot .oat, base.apk, JIT cache) over native ones (.so with build ids, a library inside the APK),
/// default clock MONOTONIC, a snapshot every 10 s.
made_trace make_android(std::uint64_t seed, std::int64_t now_seconds);

/// The sizes of the decoder's benchmark.
enum class bench_size : std::uint8_t { small, middle, large, sparse };

std::optional<bench_size> parse_bench_size(std::string_view name);
std::string_view to_string(bench_size size);

/// 12 threads on 8 CPUs, stacks of mean depth 40 over 40 mappings, half Java half native, a new stack in
/// every tenth packet (`sparse`: in every 123rd), packets in the order in which traced_perf drains its
/// per-CPU buffers. `samples` replaces the size's own number.
made_trace make_bench(bench_size size, std::uint64_t seed, std::int64_t now_seconds,
                      std::optional<std::uint32_t> samples = {});

/// Sample v2 metadata to send with a made trace: ids that follow from the seed, platform android, one
/// proguard image.
std::string make_metadata(std::uint64_t seed);

}  // namespace profile_relay::trace_maker
