// write-fuzz-seeds OUT TRACES PAYLOADS EXTRA: the first inputs of every fuzz target, from the golden traces and
// payloads and from EXTRA/trace/*.textproto, EXTRA/sample_v2/*.json and EXTRA/http_chunks, and the dictionary of tags, from the
// schema itself.
#include <google/protobuf/descriptor.h>
#include <google/protobuf/io/zero_copy_stream_impl.h>
#include <google/protobuf/text_format.h>
#include <google/protobuf/wire_format.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <set>
#include <stdexcept>
#include <string>

#include "proto/trace.pb.h"
#include "tests/fuzz/packing.hpp"

namespace fs = std::filesystem;
namespace fuzz = profile_relay::fuzz;

namespace {

constexpr std::uint32_t compressed_packets = perfetto::protos::TracePacket::kCompressedPacketsFieldNumber;

std::string read_file(fs::path const& p) {
  std::ifstream f(p, std::ios::binary);
  if (!f) throw std::runtime_error("cannot read " + p.string());
  return {std::istreambuf_iterator<char>(f), {}};
}

void write_file(fs::path const& p, std::string const& bytes) {
  std::ofstream f(p, std::ios::binary | std::ios::trunc);
  if (!(f << bytes).flush()) throw std::runtime_error("cannot write " + p.string());
}

std::string encode_text(fs::path const& p) {
  std::ifstream f(p);
  google::protobuf::io::IstreamInputStream text(&f);
  perfetto::protos::Trace trace;
  if (!google::protobuf::TextFormat::Parse(&text, &trace))
    throw std::runtime_error(p.string() + " is not a perfetto.protos.Trace");
  return trace.SerializeAsString();
}

/// The leading bytes choose limits and packing: see targets.hpp and fuzz_bundle.cpp.
void write_trace_seeds(fs::path const& out, std::string const& name, std::string const& trace) {
  std::string const wide(1, '\0');
  write_file(out / "trace" / name, wide + trace);
  write_file(out / "wire" / name, trace);
  write_file(out / "bundle" / (name + ".zlib"), wide + '\0' + trace);
  write_file(out / "bundle" / (name + ".zstd"), wide + '\2' + trace);
  write_file(out / "bundle" / (name + ".raw-zlib"), wide + '\3' + fuzz::zlib(trace));
  write_file(out / "bundle" / (name + ".raw-zstd"), wide + '\4' + fuzz::zstd(trace));
  write_file(out / "trace" / (name + ".bundle"),
             wide + fuzz::packet_with(compressed_packets, fuzz::zlib(trace)));
}

std::string dictionary_entry(std::string const& bytes) {
  constexpr char hex[] = "0123456789abcdef";
  std::string line = "\"";
  for (char const c : bytes) {
    auto const u = static_cast<unsigned char>(c);
    line += {'\\', 'x', hex[u >> 4], hex[u & 15u]};
  }
  return line + "\"\n";
}

void collect_tags(google::protobuf::Descriptor const* message,
                  std::set<google::protobuf::Descriptor const*>& seen, std::set<std::string>& lines) {
  if (!seen.insert(message).second) return;
  for (int i = 0; i < message->field_count(); ++i) {
    auto const* const field = message->field(i);
    std::string tag;
    for (auto v = google::protobuf::internal::WireFormat::MakeTag(field); v != 0; v >>= 7)
      tag += static_cast<char>((v & 0x7fu) | (v > 0x7fu ? 0x80u : 0u));
    lines.insert(dictionary_entry(tag));
    if (field->message_type() != nullptr) collect_tags(field->message_type(), seen, lines);
  }
}

void write_dictionary(fs::path const& to) {
  std::set<google::protobuf::Descriptor const*> seen;
  std::set<std::string> lines;
  collect_tags(perfetto::protos::Trace::descriptor(), seen, lines);
  std::string text;
  for (auto const& line : lines) text += line;
  write_file(to, text);
}

void write_all(fs::path const& out, fs::path const& traces, fs::path const& payloads, fs::path const& extra) {
  for (auto const* const target : {"trace", "bundle", "wire", "sample_v2", "http_chunks"}) {
    fs::remove_all(out / target);
    fs::create_directories(out / target);
  }
  for (auto const& e : fs::directory_iterator(traces))
    if (e.path().extension() == ".textproto")
      write_trace_seeds(out, e.path().stem().string(), encode_text(e.path()));
  for (auto const& e : fs::directory_iterator(extra / "trace"))
    write_trace_seeds(out, e.path().stem().string(), encode_text(e.path()));
  for (auto const& folder : {payloads, extra / "sample_v2"})
    for (auto const& e : fs::directory_iterator(folder))
      write_file(out / "sample_v2" / e.path().filename(), read_file(e.path()));
  for (auto const& e : fs::directory_iterator(extra / "http_chunks"))
    write_file(out / "http_chunks" / e.path().filename(), read_file(e.path()));
  write_dictionary(out / "trace.dict");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::cerr << "usage: write-fuzz-seeds OUT TRACES PAYLOADS EXTRA\n";
    return 2;
  }
  try {
    write_all(argv[1], argv[2], argv[3], argv[4]);
  } catch (std::exception const& e) {
    std::cerr << "write-fuzz-seeds: " << e.what() << '\n';
    return 1;
  }
  return 0;
}
