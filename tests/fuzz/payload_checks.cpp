#include "tests/fuzz/payload_checks.hpp"

#include <simdjson.h>

#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include "envelope/raw_chunk.hpp"
#include "profile/expand.hpp"
#include "tests/fuzz/check.hpp"

namespace profile_relay::fuzz {
namespace {

namespace dom = simdjson::dom;

void check_profile(dom::element root) {
  dom::element profile;
  FUZZ_CHECK(!root["version"].error() && !root["profile"].get(profile), "keys of the root");
  dom::array samples, stacks, frames;
  dom::object threads;
  FUZZ_CHECK(!profile["samples"].get(samples) && !profile["stacks"].get(stacks) &&
                 !profile["frames"].get(frames) && !profile["thread_metadata"].get(threads),
             "keys of the profile");
  std::vector<bool> idle;
  for (dom::element const stack : stacks) {
    dom::array indices;
    FUZZ_CHECK(!stack.get(indices), "a stack is an array");
    std::size_t depth = 0;
    for (dom::element const index : indices) {
      std::uint64_t i = 0;
      FUZZ_CHECK(!index.get(i) && i < frames.size(), "a frame index");
      ++depth;
    }
    idle.push_back(depth == 0);
  }
  double last = 0;
  std::map<std::string_view, std::size_t> busy;
  for (dom::element const sample : samples) {
    double at = 0;
    std::uint64_t stack = 0;
    std::string_view thread;
    FUZZ_CHECK(
        !sample["timestamp"].get(at) && !sample["stack_id"].get(stack) && !sample["thread_id"].get(thread),
        "keys of a sample");
    FUZZ_CHECK(at > 0 && at >= last, "times in order");
    FUZZ_CHECK(stack < idle.size(), "a stack index");
    last = at;
    busy[thread] += idle[stack] ? 0u : 1u;
  }
  FUZZ_CHECK(!busy.empty(), "no samples");
  for (auto const& [thread, n] : busy) FUZZ_CHECK(n >= 2, "a thread that normalising drops");
  for (auto const& [thread, metadata] : threads)
    FUZZ_CHECK(busy.contains(thread), "metadata of a thread without samples");
}

std::string read_and_write(std::string const& payload) {
  envelope::padded_copy const buffer(payload);
  envelope::raw_chunk chunk;
  chunk.metadata = buffer.view();
  auto again = profile::expand(chunk, {});
  FUZZ_CHECK(again.value.has_value(), again.value.error().what + "\n" + payload);
  return std::move(again.value->text);
}

/// All but the order of threads.
void check_same(std::string const& a, std::string const& b) {
  FUZZ_CHECK(a.size() == b.size(), a + "\n" + b);
  auto const head = a.find("\"thread_metadata\":");
  FUZZ_CHECK(a.compare(0, head, b, 0, head) == 0, a + "\n" + b);
}

}  // namespace

void check_payload(std::string const& payload, made_from origin) {
  dom::parser parser;
  dom::element root;
  FUZZ_CHECK(!parser.parse(payload).get(root), payload);
  check_profile(root);

  auto const second = read_and_write(payload);
  if (origin == made_from::json) check_same(payload, second);
  auto const third = read_and_write(second);
  FUZZ_CHECK(second == third, second + "\n" + third);
}

}  // namespace profile_relay::fuzz
