#pragma once

#include <boost/unordered/unordered_flat_set.hpp>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "perfetto_decode/decoded_trace.hpp"
#include "perfetto_decode/hash.hpp"
#include "profile/convert_images.hpp"
#include "profile/mapping_rules.hpp"
#include "profile/sample_v2.hpp"

namespace profile_relay::profile {

/// Turns decoded frames into Sample v2 frames, equal ones into one, in order of first use. A decoded frame is
/// looked at once, however many stacks hold it. Source: perfetto-decoding 14.1 to 14.3.
class frame_list {
 public:
  struct options {
    bool set_in_app = false;                    ///< off for android, where consumers decide
    std::vector<std::string_view> executables;  ///< packages of the main binaries, sorted
  };
  frame_list(perfetto_decode::decoded_trace const& trace, options opts, image_list& images,
             sample_v2::chunk& to);

  /// What an emitted frame takes: itself, its key, its places in the lists that find it.
  static constexpr std::size_t bytes_per_frame = sizeof(sample_v2::frame) + 40 + 24;

  frame_list(frame_list const&) = delete;
  frame_list& operator=(frame_list const&) = delete;

  /// Pushes what decoded frames become to the open stack: themselves, or a frame for each of their symbol lines,
  /// innermost first. The caller has bounded how many: a few bytes of symbols can stand for any number of them.
  void push_stack(std::span<const std::uint32_t> decoded) {
    std::size_t done = 0;
    while (done < decoded.size()) {
      // Most are known already; they are written in one go.
      auto* to = to_.stacks.push_many(decoded.size() - done);
      while (done < decoded.size() && emitted_[decoded[done]] < first_run) *to++ = emitted_[decoded[done++]];
      if (done == decoded.size()) return;
      to_.stacks.drop_pushed(decoded.size() - done);
      push_run(decoded[done++]);
    }
  }

 private:
  struct frame_hash {
    frame_list const* list;
    std::size_t operator()(std::uint32_t i) const { return hash_of(list->keys_[i], list->seed_); }
  };
  struct frame_equal {
    frame_list const* list;
    bool operator()(std::uint32_t a, std::uint32_t b) const { return list->keys_[a] == list->keys_[b]; }
  };
  struct mapping_memo {
    bool known = false;
    mapping_traits traits;
    bool in_app = false;
    bool has_debug_id = false;
    sample_v2::optional_text package;
    std::uint32_t package_id = 0;  ///< the text id of the mapping's name; 0 for names that give no package
  };
  /// What tells two emitted frames apart, by text ids: equal keys are equal frames.
  struct frame_key {
    std::uint64_t address;
    std::uint32_t function, file, package, line;
    frame_platform platform;
    bool has_address, has_line;
    bool operator==(frame_key const&) const = default;
  };
  /// The emitted frames of a decoded frame with symbol lines, in run_frames_.
  struct run {
    std::uint32_t first, count;
  };

  void push_run(std::uint32_t decoded_frame);
  std::uint32_t emit(perfetto_decode::frame const& f);
  std::uint32_t emit_line(perfetto_decode::frame const& f, perfetto_decode::symbol_line const& line,
                          bool physical);
  std::uint32_t finish(sample_v2::frame& out, frame_key key, perfetto_decode::frame const& f,
                       std::string_view function, mapping_memo const& m);
  static std::size_t hash_of(frame_key const& k, perfetto_decode::hash_seed seed);
  mapping_memo const& memo_of(std::uint32_t mapping);
  bool is_executable(std::string_view package) const;

  // Values of emitted_: an index into to_.frames; from first_run on an index into runs_; or none.
  static constexpr std::uint32_t first_run = 0x8000'0000;

  perfetto_decode::decoded_trace const& trace_;
  options options_;
  image_list& images_;
  sample_v2::chunk& to_;
  std::vector<std::uint32_t> emitted_;  ///< by decoded frame
  std::vector<run> runs_;
  std::vector<std::uint32_t> run_frames_;
  std::vector<mapping_memo> mappings_;
  mapping_memo no_mapping_;
  std::vector<frame_key> keys_;  ///< by emitted frame
  perfetto_decode::hash_seed seed_ = perfetto_decode::seed_of(this);
  boost::unordered_flat_set<std::uint32_t, frame_hash, frame_equal> unique_;
};

}  // namespace profile_relay::profile
