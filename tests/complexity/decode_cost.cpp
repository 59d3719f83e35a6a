// decode-cost --make FOLDER         writes two traces of each kind: one of its usual size, one of twice that
// decode-cost --decode FOLDER       decodes them in the order of --list; callgrind counts decode_once alone
// decode-cost --list                the kinds: name, usual size, what is doubled
// decode-cost --one KIND N ROUNDS   makes a trace and decodes it, for a profiler
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <span>
#include <string>

#include "perfetto_decode/decoded_trace.hpp"
#include "tests/attack/kinds.hpp"

namespace pd = profile_relay::perfetto_decode;

namespace {

// Wide enough that no limit ends the work early: how it grows is the question, not where it stops.
pd::limits wide() {
  pd::limits lim;
  lim.packets = lim.samples = lim.frames = lim.sequences = 100'000'000;
  lim.inflated_bytes = lim.working_bytes = lim.result_bytes = std::size_t{4} << 30;
  lim.packet_bytes = 64u << 20;
  return lim;
}

}  // namespace

// Callgrind is told to count between its entry and its return, so it needs a name that no compiler changes or inlines.
extern "C" [[gnu::noinline]] bool decode_once(std::string const& trace) {
  auto const d = pd::decode(std::as_bytes(std::span(trace.data(), trace.size())), wide());
  if (!d) std::fprintf(stderr, "decode-cost: refused: %s\n", d.error().what.c_str());
  return d.has_value();
}

namespace {

std::string file_of(std::string const& folder, attack::kind const& k, int times) {
  return folder + "/" + std::string(k.name) + "-" + std::to_string(times);
}

int make(std::string const& folder) {
  for (auto const& k : attack::all_kinds())
    for (int const times : {1, 2}) {
      auto const trace = k.make(k.usual * static_cast<std::size_t>(times));
      std::ofstream out(file_of(folder, k, times), std::ios::binary);
      if (!out.write(trace.data(), static_cast<std::streamsize>(trace.size()))) return 1;
    }
  return 0;
}

int decode(std::string const& folder) {
  for (auto const& k : attack::all_kinds())
    for (int const times : {1, 2}) {
      std::ifstream in(file_of(folder, k, times), std::ios::binary | std::ios::ate);
      std::string trace(static_cast<std::size_t>(in.tellg()), '\0');
      in.seekg(0).read(trace.data(), static_cast<std::streamsize>(trace.size()));
      if (!in || !decode_once(trace)) return 1;
    }
  return 0;
}

int list() {
  for (auto const& k : attack::all_kinds())
    std::printf("%.*s %zu %.*s\n", static_cast<int>(k.name.size()), k.name.data(), k.usual,
                static_cast<int>(k.doubled.size()), k.doubled.data());
  return 0;
}

int one(std::string const& name, std::size_t n, int rounds) {
  auto const* const k = attack::find_kind(name);
  if (k == nullptr) return 2;
  auto const trace = k->make(n);
  for (int i = 0; i < rounds; ++i)
    if (!decode_once(trace)) return 1;
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  std::string const what = argc > 1 ? argv[1] : "";
  if (what == "--list") return list();
  if (what == "--make" && argc == 3) return make(argv[2]);
  if (what == "--decode" && argc == 3) return decode(argv[2]);
  if (what == "--one" && argc == 5)
    return one(argv[2], std::strtoull(argv[3], nullptr, 10), std::atoi(argv[4]));
  std::fprintf(stderr, "usage: decode-cost --list | --make FOLDER | --decode FOLDER | --one KIND N ROUNDS\n");
  return 2;
}
