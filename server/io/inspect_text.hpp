#pragma once

#include <iosfwd>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/io/inspection.hpp"

namespace profile_relay::server {

struct inspect_options {
  bool samples = false;  ///< list every decoded sample
  bool all = false;      ///< no list is cut
};

/// `inspect` for people: the verdict first, then what the trace is made of, then what is wrong with it.
void print_inspection(std::ostream& out, std::string_view file, inspection const& i,
                      inspect_options const& o);

// The parts, in their order.
void print_packing(std::ostream& out, std::string_view file, inspection const& i);
void print_packets(std::ostream& out, perfetto_decode::survey const& s, inspect_options const& o);
void print_sequences(std::ostream& out, perfetto_decode::survey const& s, inspect_options const& o);
void print_clocks(std::ostream& out, perfetto_decode::clock_survey const& c, inspect_options const& o);
void print_samples(std::ostream& out, inspection const& i, inspect_options const& o);
void print_images(std::ostream& out, inspection const& i, inspect_options const& o);
void print_counters(std::ostream& out, inspection const& i);

/// What is known about a counter beyond its number, one line each.
std::vector<std::string> counter_details(perfetto_decode::counter c, inspection const& i);

/// "6 BOOTTIME", or "64 of sequence 3".
std::string clock_text(std::uint32_t id, std::uint32_t sequence);

}  // namespace profile_relay::server
