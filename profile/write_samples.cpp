#include "profile/write_samples.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <string_view>
#include <vector>

#include "profile/decimal_table.hpp"
#include "profile/json_text.hpp"

namespace profile_relay::profile {

using sample_v2::chunk;
using sample_v2::sample;

namespace {

/// Collects small pieces before they go to the string: its growth check is paid per block, not per piece.
class block {
 public:
  block(std::string& out, std::size_t max_bytes) : out_(out), max_bytes_(max_bytes) {}

  /// Room for `n` characters (at most `capacity`) at the returned place. Null when the text has become too
  /// long.
  char* room(std::size_t n) {
    assert(n <= capacity);
    if (used_ + n > capacity && !flush()) return nullptr;
    return text_ + used_;
  }
  void advance_to(char const* end) { used_ = static_cast<std::size_t>(end - text_); }

  bool flush() {
    out_.append(text_, used_);
    used_ = 0;
    return out_.size() <= max_bytes_;
  }
  /// For pieces of any length.
  bool append(std::string_view piece) {
    if (!flush()) return false;
    out_.append(piece);
    return true;
  }

  static constexpr std::size_t capacity = 8192;

 private:
  std::string& out_;
  std::size_t max_bytes_;
  std::size_t used_ = 0;
  char text_[capacity];
};

char* write_text(char* to, std::string_view s) {
  std::memcpy(to, s.data(), s.size());
  return to + s.size();
}

/// Decimal seconds from integer nanoseconds: trailing zeros cut, at least one digit after the point.
/// Neighbouring samples mostly share their second, so its text is kept.
class nanosecond_writer {
 public:
  static constexpr std::size_t max_size = 21;

  nanosecond_writer() { set_second(0); }

  char* write(char* to, std::int64_t ns) {
    assert(ns >= 0);
    const auto t = static_cast<std::uint64_t>(ns);
    if (t - second_start_ >= second) set_second(t);
    to = write_text(to, {seconds_.data(), seconds_.size()});
    auto fraction = static_cast<std::uint32_t>(t - second_start_);

    char digits[9];
    for (std::size_t i = 9; i > 1; i -= 2) {
      std::memcpy(digits + i - 2, &digit_pairs[2 * (fraction % 100)], 2);
      fraction /= 100;
    }
    digits[0] = static_cast<char>('0' + fraction);
    std::size_t n = 9;
    while (n > 1 && digits[n - 1] == '0') --n;
    std::memcpy(to, digits, sizeof digits);
    return to + n;
  }

 private:
  static constexpr std::uint64_t second = 1'000'000'000;

  void set_second(std::uint64_t t) {
    second_start_ = t - t % second;
    seconds_.clear();
    json_text::append_uint(seconds_, t / second);
    seconds_ += '.';
  }

  std::uint64_t second_start_ = 0;
  std::string seconds_;
};

/// The end of each sample, by thread: `,"thread_id":"4100"},`.
class sample_tails {
 public:
  explicit sample_tails(chunk const& c) {
    ends_.reserve(c.threads.size());
    for (auto const& t : c.threads) {
      text_ += ",\"thread_id\":";
      json_text::append_string(text_, t.id);
      text_ += "},";
      ends_.push_back(text_.size());
    }
  }
  std::string_view operator[](std::uint32_t thread) const {
    const auto first = thread == 0 ? 0 : ends_[thread - 1];
    return {text_.data() + first, ends_[thread] - first};
  }

 private:
  std::string text_;
  std::vector<std::size_t> ends_;
};

constexpr std::string_view head = "{\"timestamp\":", middle = ",\"stack_id\":";

}  // namespace

bool append_samples(std::string& out, chunk const& c, std::size_t max_bytes) {
  constexpr std::size_t fixed_size = head.size() + nanosecond_writer::max_size + middle.size() + 10;
  const sample_tails tails(c);
  nanosecond_writer times;
  std::string seconds;
  block b(out, max_bytes);
  for (auto const& s : c.samples) {
    const auto tail = tails[s.thread];
    const bool short_tail = tail.size() <= 128;
    char* to = b.room(fixed_size + 128);
    if (!to) return false;
    to = write_text(to, head);
    if (c.times == sample_v2::time_form::nanoseconds) {
      to = times.write(to, s.time);
    } else {
      // Times are below 1e11 and above 0, so this is short unless it is tiny.
      seconds.clear();
      json_text::append_number(seconds, sample_v2::seconds_of_time(s.time));
      b.advance_to(to);
      to = b.room(seconds.size() + fixed_size + 128);
      if (!to) return false;
      to = write_text(to, seconds);
    }
    to = write_text(to, middle);
    to = write_decimal(to, s.stack);
    if (short_tail) to = write_text(to, tail);
    b.advance_to(to);
    if (!short_tail && !b.append(tail)) return false;
  }
  if (!b.flush()) return false;
  if (!c.samples.empty()) out.pop_back();  // the last comma
  return true;
}

bool append_stacks(std::string& out, chunk const& c, std::size_t max_bytes) {
  const decimal_table decimals(c.frames.size());
  block b(out, max_bytes);
  char* to = b.room(1);
  for (std::size_t i = 0; i < c.stacks.size(); ++i) {
    if (!(to = b.room(16))) return false;
    *to++ = '[';
    const auto frames = c.stacks[i];
    for (std::size_t at = 0; at < frames.size();) {
      constexpr std::size_t run = 64;
      b.advance_to(to);
      if (!(to = b.room((run + 1) * 11))) return false;
      for (const auto end = std::min(at + run, frames.size()); at < end; ++at)
        to = decimals.write(to, frames[at]);
    }
    if (!frames.empty()) --to;  // the last comma
    *to++ = ']';
    *to++ = ',';
    b.advance_to(to);
  }
  if (!b.flush()) return false;
  if (c.stacks.size() != 0) out.pop_back();
  return true;
}

}  // namespace profile_relay::profile
