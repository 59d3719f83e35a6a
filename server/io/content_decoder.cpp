#include "server/io/content_decoder.hpp"

#include <brotli/decode.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <limits>
#include <new>

namespace profile_relay::server {

namespace {

bool iequals(std::string_view a, std::string_view b) {
  return std::ranges::equal(
      a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

std::string_view trim(std::string_view s) {
  auto const blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!s.empty() && blank(s.front())) s.remove_prefix(1);
  while (!s.empty() && blank(s.back())) s.remove_suffix(1);
  return s;
}

class zlib_decoder final : public content_decoder {
 public:
  explicit zlib_decoder(int window_bits) {
    if (inflateInit2(&stream_, window_bits) != Z_OK) throw std::bad_alloc();
  }
  ~zlib_decoder() override { inflateEnd(&stream_); }
  zlib_decoder(zlib_decoder const&) = delete;
  zlib_decoder& operator=(zlib_decoder const&) = delete;

  step decode(std::span<const std::byte> in, std::span<std::byte> out) override {
    if (ended_) return {0, 0, in.empty() ? state::finished : state::damaged};
    constexpr std::size_t most = std::numeric_limits<uInt>::max();
    auto const in_size = static_cast<uInt>(std::min(in.size(), most));
    auto const out_size = static_cast<uInt>(std::min(out.size(), most));
    // zlib does not write through next_in; its interface is older than const.
    stream_.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(in.data()));
    stream_.avail_in = in_size;
    stream_.next_out = reinterpret_cast<Bytef*>(out.data());
    stream_.avail_out = out_size;
    int const rc = inflate(&stream_, Z_NO_FLUSH);
    step s{in_size - stream_.avail_in, out_size - stream_.avail_out, state::need_input};
    if (rc == Z_STREAM_END) {
      ended_ = true;
      s.now = s.consumed == in.size() ? state::finished : state::damaged;
    } else if (rc != Z_OK && rc != Z_BUF_ERROR) {
      s.now = state::damaged;
    } else if (stream_.avail_out == 0) {
      s.now = state::output_full;
    }
    return s;
  }

 private:
  z_stream stream_{};
  bool ended_ = false;
};

class brotli_decoder final : public content_decoder {
 public:
  brotli_decoder() : state_(BrotliDecoderCreateInstance(nullptr, nullptr, nullptr)) {
    if (state_ == nullptr) throw std::bad_alloc();
  }
  ~brotli_decoder() override { BrotliDecoderDestroyInstance(state_); }
  brotli_decoder(brotli_decoder const&) = delete;
  brotli_decoder& operator=(brotli_decoder const&) = delete;

  step decode(std::span<const std::byte> in, std::span<std::byte> out) override {
    if (BrotliDecoderIsFinished(state_)) return {0, 0, in.empty() ? state::finished : state::damaged};
    std::size_t in_left = in.size(), out_left = out.size();
    auto const* next_in = reinterpret_cast<const std::uint8_t*>(in.data());
    auto* next_out = reinterpret_cast<std::uint8_t*>(out.data());
    auto const rc = BrotliDecoderDecompressStream(state_, &in_left, &next_in, &out_left, &next_out, nullptr);
    step s{in.size() - in_left, out.size() - out_left, state::need_input};
    if (rc == BROTLI_DECODER_RESULT_ERROR) s.now = state::damaged;
    if (rc == BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT) s.now = state::output_full;
    if (rc == BROTLI_DECODER_RESULT_SUCCESS) s.now = in_left == 0 ? state::finished : state::damaged;
    return s;
  }

 private:
  BrotliDecoderState* state_;
};

class zstd_decoder final : public content_decoder {
 public:
  zstd_decoder() : context_(ZSTD_createDCtx()) {
    if (context_ == nullptr) throw std::bad_alloc();
    // A frame may ask for a window of 128 MiB; 8 MiB is what RFC 9659 lets a content coding use.
    ZSTD_DCtx_setParameter(context_, ZSTD_d_windowLogMax, 23);
  }
  ~zstd_decoder() override { ZSTD_freeDCtx(context_); }
  zstd_decoder(zstd_decoder const&) = delete;
  zstd_decoder& operator=(zstd_decoder const&) = delete;

  step decode(std::span<const std::byte> in, std::span<std::byte> out) override {
    if (ended_) return {0, 0, in.empty() ? state::finished : state::damaged};
    ZSTD_inBuffer input{in.data(), in.size(), 0};
    ZSTD_outBuffer output{out.data(), out.size(), 0};
    auto const rc = ZSTD_decompressStream(context_, &output, &input);
    step s{input.pos, output.pos, state::need_input};
    if (ZSTD_isError(rc)) {
      s.now = state::damaged;
    } else if (rc == 0) {
      ended_ = true;
      s.now = input.pos == in.size() ? state::finished : state::damaged;
    } else if (output.pos == output.size) {
      s.now = state::output_full;
    } else if (input.pos < in.size()) {
      s.now = state::output_full;  // it stopped at an inner border; go on with the rest
    }
    return s;
  }

 private:
  ZSTD_DCtx* context_;
  bool ended_ = false;
};

}  // namespace

std::optional<content_coding> find_coding(std::string_view header_value) {
  struct row {
    std::string_view name;
    content_coding coding;
  };
  // "" and "utf-8" are what released SDKs send (contract 5.3).
  constexpr std::array rows{
      row{"", content_coding::identity},      row{"identity", content_coding::identity},
      row{"utf-8", content_coding::identity}, row{"gzip", content_coding::gzip},
      row{"x-gzip", content_coding::gzip},    row{"deflate", content_coding::deflate},
      row{"br", content_coding::br},          row{"zstd", content_coding::zstd},
  };
  auto const name = trim(header_value);
  for (auto const& r : rows)
    if (iequals(name, r.name)) return r.coding;
  return std::nullopt;
}

std::unique_ptr<content_decoder> make_decoder(content_coding coding) {
  switch (coding) {
    case content_coding::gzip:
      return std::make_unique<zlib_decoder>(15 + 16);
    case content_coding::deflate:
      return std::make_unique<zlib_decoder>(15);
    case content_coding::br:
      return std::make_unique<brotli_decoder>();
    case content_coding::zstd:
      return std::make_unique<zstd_decoder>();
    case content_coding::identity:
      break;
  }
  return nullptr;
}

}  // namespace profile_relay::server
