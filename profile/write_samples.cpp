#include "profile/write_samples.hpp"

#include <algorithm>
#include <cassert>
#include <charconv>
#include <cstring>
#include <string_view>
#include <vector>

#include "profile/decimal_table.hpp"
#include "profile/json_text.hpp"
#include "profile/text_block.hpp"

namespace profile_relay::profile {

using sample_v2::chunk;
using sample_v2::sample;

namespace {

/// Decimal seconds from integer nanoseconds: trailing zeros cut, at least one digit after the point.
/// Neighbouring samples mostly share their second, so its text is kept.
class nanosecond_writer {
 public:
  static constexpr std::size_t max_size = 32;  ///< room that `write` needs; it writes less

  nanosecond_writer() { set_second(0); }

  char* write(char* to, std::int64_t ns) {
    assert(ns >= 0);
    const auto t = static_cast<std::uint64_t>(ns);
    if (t - second_start_ >= second) set_second(t);
    std::memcpy(to, seconds_, sizeof seconds_);
    to += seconds_size_;
    auto fraction = static_cast<std::uint32_t>(t - second_start_);

    for (std::size_t i = 9; i > 1; i -= 2) {
      std::memcpy(to + i - 2, &digit_pairs[2 * (fraction % 100)], 2);
      fraction /= 100;
    }
    to[0] = static_cast<char>('0' + fraction);
    std::size_t n = 9;
    while (n > 1 && to[n - 1] == '0') --n;
    return to + n;
  }

 private:
  static constexpr std::uint64_t second = 1'000'000'000;

  void set_second(std::uint64_t t) {
    second_start_ = t - t % second;
    char* end = std::to_chars(seconds_, seconds_ + sizeof seconds_ - 1, t / second).ptr;
    *end++ = '.';
    seconds_size_ = static_cast<std::size_t>(end - seconds_);
  }

  std::uint64_t second_start_ = 0;
  std::size_t seconds_size_ = 0;
  char seconds_[16] = {};
};

/// The end of each sample, by thread: `"thread_id":"4100"},`.
class sample_tails {
 public:
  explicit sample_tails(chunk const& c) {
    tails_.reserve(c.threads.size());
    for (auto const& t : c.threads) {
      const auto first = text_.size();
      text_ += "\"thread_id\":";
      json_text::append_string(text_, t.id);
      text_ += "},";
      tails_.push_back({first, text_.size() - first});
    }
    text_.append(short_size, '\0');
  }

  std::size_t room_for(std::uint32_t thread) const {
    const auto size = tails_[thread].size;
    return size < short_size ? short_size : size;
  }
  char* write(char* to, std::uint32_t thread) const {
    const auto [first, size] = tails_[thread];
    if (size <= short_size) {
      std::memcpy(to, text_.data() + first, short_size);  // of a constant size: cheaper than the exact one
    } else {
      std::memcpy(to, text_.data() + first, size);
    }
    return to + size;
  }

 private:
  static constexpr std::size_t short_size = 32;
  struct tail {
    std::size_t first, size;
  };
  std::string text_;
  std::vector<tail> tails_;
};

}  // namespace

bool append_samples(std::string& out, chunk const& c, std::size_t max_bytes) {
  constexpr std::string_view head = "{\"timestamp\":", middle = ",\"stack_id\":";
  constexpr std::size_t fixed_size = head.size() + nanosecond_writer::max_size + middle.size() + 11;
  const sample_tails tails(c);
  const decimal_table stack_ids(c.stacks.size());
  nanosecond_writer times;
  std::string seconds;
  text_block b(out, max_bytes);
  for (auto const& s : c.samples) {
    if (c.times == sample_v2::time_form::seconds) {
      seconds.clear();
      json_text::append_number(seconds, sample_v2::seconds_of_time(s.time));
    }
    char* to = b.room(fixed_size + seconds.size() + tails.room_for(s.thread));
    if (!to) return false;
    to = write_text(to, head);
    to = c.times == sample_v2::time_form::seconds ? write_text(to, seconds) : times.write(to, s.time);
    to = write_text(to, middle);
    to = stack_ids.write(to, s.stack);
    b.advance_to(tails.write(to, s.thread));
  }
  if (!b.flush()) return false;
  if (!c.samples.empty()) out.pop_back();  // the last comma
  return true;
}

bool append_stacks(std::string& out, chunk const& c, std::size_t max_bytes) {
  const decimal_table decimals(c.frames.size());
  text_block b(out, max_bytes);
  char* to = nullptr;
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
