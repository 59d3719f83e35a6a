#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// The Sample v2 chunk: what a client sends as JSON, what a trace is converted to, and what is written to
/// Kafka. One model for both paths, so that normalising and writing exist once. Source: kafka-and-consumers 4
/// and 7.
namespace profile_relay::profile::sample_v2 {

/// A string that may be absent; "" is present. A view: see chunk::storage.
class optional_text {
 public:
  constexpr optional_text() = default;
  constexpr optional_text(std::string_view text) : view_(text.data() ? text : std::string_view("", 0)) {}
  constexpr optional_text(const char* text) : view_(text) {}

  constexpr bool has_value() const { return view_.data() != nullptr; }
  constexpr explicit operator bool() const { return has_value(); }
  constexpr std::string_view operator*() const { return view_; }
  /// "" when absent.
  constexpr std::string_view text() const { return view_; }

  constexpr bool operator==(optional_text const& other) const {
    return has_value() == other.has_value() && view_ == other.view_;
  }

 private:
  std::string_view view_;
};

/// 32 lowercase hex digits.
using hex_id = std::array<char, 32>;
inline std::string_view text_of(hex_id const& id) { return {id.data(), id.size()}; }

struct client_sdk {
  std::string_view name, version;
};

struct measurement_value {
  double timestamp = 0, value = 0;
  optional_text elapsed_text;                   ///< elapsed_since_start_ns as the SDK wrote it:
  std::optional<std::uint64_t> elapsed_number;  ///< a string or a number
};

struct measurement {
  std::string_view name, unit;
  std::vector<measurement_value> values;
};

struct image {
  optional_text code_file, debug_id;
  std::string_view type;
  std::optional<std::uint64_t> image_addr, image_vmaddr;
  std::uint64_t image_size = 0;  ///< 0 = left out
  optional_text uuid;
};

struct frame {
  optional_text abs_path, filename, function, module, package, platform;
  std::optional<std::uint64_t> instruction_addr;
  std::optional<std::uint32_t> lineno, colno;
  std::optional<bool> in_app;

  bool operator==(frame const&) const = default;
};

/// Stacks as one flat list of frame indices, leaf first within each stack.
class stack_table {
 public:
  std::size_t size() const { return ends_.size(); }
  std::span<const std::uint32_t> operator[](std::size_t i) const {
    const std::size_t first = i == 0 ? 0 : ends_[i - 1];
    return {frames_.data() + first, ends_[i] - first};
  }
  std::size_t frame_count() const { return frames_.size(); }

  /// Builds the next stack: any number of `push`, then `close`.
  void push(std::uint32_t frame) { frames_.push_back(frame); }
  std::uint32_t close() {
    ends_.push_back(static_cast<std::uint32_t>(frames_.size()));
    return static_cast<std::uint32_t>(ends_.size() - 1);
  }
  /// Pushes `n` frames at once, for the caller to fill in before anything else is pushed.
  std::uint32_t* push_many(std::size_t n) {
    frames_.resize(frames_.size() + n);
    return frames_.data() + (frames_.size() - n);
  }
  /// Takes back the last of them.
  void drop_pushed(std::size_t n) { frames_.resize(frames_.size() - n); }
  /// Forgets the last closed stack.
  void drop_last() {
    ends_.pop_back();
    frames_.resize(ends_.empty() ? 0 : ends_.back());
  }
  void reserve(std::size_t stacks, std::size_t frames) {
    ends_.reserve(stacks);
    frames_.reserve(frames);
  }

 private:
  std::vector<std::uint32_t> frames_;
  std::vector<std::uint32_t> ends_;
};

/// In which of two forms a chunk's sample times are held. Both are 64-bit words that compare as integers.
enum class time_form : std::uint8_t {
  nanoseconds,  ///< converted traces: since 1970, above 0; exact to the end
  seconds,      ///< client JSON: the bits of a positive double, which order as the doubles do
};
inline std::int64_t time_of_seconds(double s) { return std::bit_cast<std::int64_t>(s); }
inline double seconds_of_time(std::int64_t t) { return std::bit_cast<double>(t); }

struct sample {
  std::int64_t time = 0;
  std::uint32_t stack = 0;   ///< index into chunk::stacks; out of range until `normalise` has looked
  std::uint32_t thread = 0;  ///< index into chunk::threads; always in range
};

struct thread {
  std::string_view id;
  bool has_metadata = false;  ///< listed in thread_metadata, be it as `{}`
  optional_text name;
  std::optional<std::int32_t> priority;
};

/// All views point into `storage`, into `owned`, into literals, or into the input that the chunk was made
/// from, which must outlive it.
struct chunk {
  hex_id chunk_id{}, profiler_id{};
  std::string_view platform;
  optional_text content_type, release, environment;
  std::optional<client_sdk> sdk;
  std::vector<measurement> measurements;
  std::vector<image> images;

  time_form times = time_form::nanoseconds;
  std::vector<sample> samples;
  stack_table stacks;
  std::vector<frame> frames;
  std::vector<thread> threads;

  std::shared_ptr<const void> storage;
  std::deque<std::string> owned;  ///< a deque, because its elements stay where they are

  std::string_view own(std::string text) { return owned.emplace_back(std::move(text)); }
};

}  // namespace profile_relay::profile::sample_v2
