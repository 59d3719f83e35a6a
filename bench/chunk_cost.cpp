#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

#include "envelope/raw_chunk.hpp"
#include "profile/expand.hpp"
#include "profile/kafka_record.hpp"
#include "server/io/keep_freed_memory.hpp"

namespace {

namespace relay = profile_relay;

[[noreturn]] void give_up(std::string const& why) {
  std::cerr << "chunk-cost: " << why << '\n';
  std::exit(1);
}

double cpu_seconds() {
  rusage u{};
  getrusage(RUSAGE_SELF, &u);
  auto const seconds = [](timeval t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(u.ru_utime) + seconds(u.ru_stime);
}

relay::profile::expanded expand(relay::envelope::raw_chunk const& chunk) {
  auto done = relay::profile::expand(chunk, {});
  if (!done.value) give_up("the chunk is rejected: " + done.value.error().what);
  return std::move(*done.value);
}

std::size_t record_bytes(relay::profile::expanded const& e) {
  relay::profile::profile_message m;
  m.organization_id = m.project_id = 1;
  m.payload = e.payload();
  m.raw_profile = e.raw_trace;
  m.raw_profile_content_type = e.raw_content_type;
  return relay::profile::make_profile_record(m, e.chunk_id, 0).value.size();
}

}  // namespace

/// chunk-cost: the CPU time of what has to be done to the one chunk of an envelope (decode, convert, normalise, write;
/// of plain JSON: parse, normalise, write), and the size of its record. See bench/http_bench.py.
int main(int argc, char** argv) {
  CLI::App app{"CPU time of expanding the chunk of an envelope, and the size of its Kafka record."};
  std::string name;
  double seconds = 1;
  app.add_option("envelope", name, "file with one profile chunk")->required();
  app.add_option("--seconds", seconds, "of CPU time to measure for")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  relay::server::keep_freed_memory();  // as `profile-relay run` does

  std::ifstream file(name, std::ios::binary);
  if (!file) give_up("cannot read " + name);
  std::string bytes{std::istreambuf_iterator<char>(file), {}};
  auto const size = bytes.size();
  bytes.append(relay::envelope::read_ahead, '\0');
  auto const env = relay::envelope::parse(
      relay::envelope::padded_view::assume_padded(std::as_bytes(std::span(bytes.data(), size))));
  if (!env) give_up("no envelope: " + env.error().what);
  auto const set = relay::envelope::take_chunks(*env);
  if (set.chunks.size() != 1) give_up("the envelope must hold one profile chunk");

  auto const record = record_bytes(expand(set.chunks.front()));
  std::size_t count = 0;
  auto const begin = cpu_seconds();
  double used = 0;
  do {
    expand(set.chunks.front());
    used = cpu_seconds() - begin;
    ++count;
  } while (used < seconds);
  std::printf("{\"cpu_per_1000\":%.6f,\"record_bytes\":%zu}\n", 1000 * used / static_cast<double>(count),
              record);
  return 0;
}
