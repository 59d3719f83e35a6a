#include "proto/fields.hpp"

#include <google/protobuf/descriptor.h>

#include <catch2/catch.hpp>
#include <cctype>
#include <fstream>
#include <map>
#include <regex>
#include <sstream>
#include <string>

#include "proto/trace.pb.h"

namespace {

using numbers = std::map<std::string, std::map<std::string, int>>;

std::string snake_case(std::string_view camel) {
  std::string out;
  for (char c : camel) {
    auto const u = static_cast<unsigned char>(c);
    if (std::isupper(u) != 0 && !out.empty()) out += '_';
    out += static_cast<char>(std::tolower(u));
  }
  return out;
}

void collect(google::protobuf::Descriptor const& message, std::string const& outer, numbers& into) {
  auto const name = (outer.empty() ? "" : outer + "_") + snake_case(message.name());
  for (int i = 0; i < message.field_count(); ++i)
    into[name][message.field(i)->name()] = message.field(i)->number();
  for (int i = 0; i < message.nested_type_count(); ++i) collect(*message.nested_type(i), name, into);
}

void collect(google::protobuf::FileDescriptor const& file, numbers& into) {
  for (int i = 0; i < file.message_type_count(); ++i) collect(*file.message_type(i), "", into);
  for (int i = 0; i < file.dependency_count(); ++i) collect(*file.dependency(i), into);
}

numbers of_descriptors() {
  numbers out;
  collect(*perfetto::protos::Trace::descriptor()->file(), out);
  return out;
}

// The header's text, because C++ cannot enumerate enumerators: a forgotten or added constant must show too.
numbers of_header() {
  std::ifstream file(FIELDS_HEADER);
  std::stringstream text;
  text << file.rdbuf();
  auto const source = text.str();
  static std::regex const message(R"(namespace (\w+) \{\s*enum field : std::uint32_t \{([^}]*)\})");
  static std::regex const constant(R"((\w+) = (\d+))");
  numbers out;
  for (std::sregex_iterator m(source.begin(), source.end(), message), end; m != end; ++m) {
    auto const body = (*m)[2].str();
    for (std::sregex_iterator c(body.begin(), body.end(), constant); c != end; ++c)
      out[(*m)[1].str()][(*c)[1].str()] = std::stoi((*c)[2].str());
  }
  return out;
}

}  // namespace

TEST_CASE("fields.hpp names every field of every message with its number, and nothing else") {
  auto const header = of_header();
  auto const descriptors = of_descriptors();
  REQUIRE(!header.empty());
  for (auto const& [message, fields] : descriptors) {
    INFO(message);
    REQUIRE(header.count(message) == 1);
    CHECK(header.at(message) == fields);
  }
  for (auto const& [message, fields] : header) {
    INFO(message);
    CHECK(descriptors.count(message) == 1);
  }
}

TEST_CASE("a number from the wire can be switched on") {
  namespace f = profile_relay::proto::fields;
  auto const* packet = perfetto::protos::TracePacket::descriptor();
  auto const number = static_cast<std::uint32_t>(packet->FindFieldByName("perf_sample")->number());
  switch (number) {
    case f::trace_packet::perf_sample:
      SUCCEED();
      break;
    default:
      FAIL("TracePacket.perf_sample is " << number);
  }
}
