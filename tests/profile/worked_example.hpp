#pragma once

#include <string>
#include <string_view>

/// An Android chunk of 20 ms: two threads, Java and native frames, a client image followed by a converted
/// one.
inline constexpr std::string_view worked_example = R"json({
  "measurements": {"cpu_usage": {"unit": "percent", "values": [{"timestamp": 1790000000.05, "value": 12.5}]}},
  "chunk_id": "0123456789abcdef0123456789abcdef",
  "profiler_id": "fedcba9876543210fedcba9876543210",
  "debug_meta": {"images": [
    {"type": "proguard", "uuid": "4f2d1c86-6a0b-4b7e-9a51-0c6f2b6a7d11"},
    {"code_file": "data/app/com.example.shop/lib/arm64/libshop.so",
     "debug_id": "7f4a3eb0-885e-8d4c-a04b-05fa32cc4cbd", "type": "symbolic",
     "image_addr": "0x7a10000000", "image_vmaddr": "0x0", "image_size": 65536}]},
  "environment": "production",
  "platform": "android",
  "content_type": "application/x-perfetto-trace",
  "release": "shop@4.2.0+118",
  "client_sdk": {"name": "sentry.java.android", "version": "8.53.0"},
  "version": "2",
  "profile": {
    "samples": [
      {"timestamp": 1790000000.0, "stack_id": 0, "thread_id": "4100"},
      {"timestamp": 1790000000.004, "stack_id": 1, "thread_id": "4117"},
      {"timestamp": 1790000000.0099, "stack_id": 2, "thread_id": "4100"},
      {"timestamp": 1790000000.0139, "stack_id": 1, "thread_id": "4117"},
      {"timestamp": 1790000000.0198, "stack_id": 0, "thread_id": "4100"}],
    "stacks": [[0, 1, 2], [3, 4], [2]],
    "frames": [
      {"function": "decode_price", "instruction_addr": "0x7a10001234",
       "package": "data/app/com.example.shop/lib/arm64/libshop.so", "platform": "native"},
      {"function": "render", "module": "com.example.shop.CartView",
       "package": "data/app/com.example.shop/oat/arm64/base.odex", "platform": "java"},
      {"function": "main", "module": "android.app.ActivityThread",
       "package": "system/framework/arm64/boot-framework.oat", "platform": "java"},
      {"instruction_addr": "0x7a10002a40",
       "package": "data/app/com.example.shop/lib/arm64/libshop.so", "platform": "native"},
      {"function": "__start_thread", "instruction_addr": "0x7b20054ab0",
       "package": "apex/com.android.runtime/lib64/bionic/libc.so", "platform": "native"}],
    "thread_metadata": {"4100": {"name": "main"}, "4117": {"name": "PriceWorker"}}
  }
})json";

/// JSON text without the blanks and line breaks between its tokens.
inline std::string compact(std::string_view json) {
  std::string out;
  bool in_string = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (in_string && c == '\\') {
      out += c;
      out += json[++i];
      continue;
    }
    if (c == '"') in_string = !in_string;
    if (in_string || (c != ' ' && c != '\n')) out += c;
  }
  return out;
}
