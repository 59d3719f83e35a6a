#include <google/protobuf/io/zero_copy_stream_impl.h>
#include <google/protobuf/text_format.h>

#include <fstream>
#include <iostream>
#include <string>

#include "proto/trace.pb.h"

/// encode-trace IN.textproto OUT.pftrace: protobuf text, message perfetto.protos.Trace, to the bytes a client
/// sends. The message keeps presence and order, so what the text says is what the wire says.
int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: encode-trace IN.textproto OUT.pftrace\n";
    return 2;
  }
  std::string const in_name = argv[1];
  std::string const out_name = argv[2];
  std::ifstream in(in_name);
  if (!in) {
    std::cerr << "encode-trace: cannot read " << in_name << '\n';
    return 1;
  }
  google::protobuf::io::IstreamInputStream text(&in);
  perfetto::protos::Trace trace;
  if (!google::protobuf::TextFormat::Parse(&text, &trace)) {
    std::cerr << "encode-trace: " << in_name
              << " is not a perfetto.protos.Trace\n";  // protobuf printed the line
    return 1;
  }
  std::ofstream out(out_name, std::ios::binary | std::ios::trunc);
  if (!trace.SerializeToOstream(&out) || !out.flush()) {
    std::cerr << "encode-trace: cannot write " << out_name << '\n';
    return 1;
  }
  return 0;
}
