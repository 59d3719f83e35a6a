#include "sdk/transport/compress.hpp"

#include <zlib.h>
#include <zstd.h>

#include <array>
#include <memory>
#include <stdexcept>

namespace profile_relay::sdk {
namespace {

constexpr std::size_t piece_bytes = 256U << 10;
constexpr std::size_t out_bytes = 64U << 10;

/// Takes the body piece by piece.
class encoder {
 public:
  virtual ~encoder() = default;
  virtual void write(std::string_view piece, std::string& out) = 0;
  virtual void finish(std::string& out) = 0;
};

class plain final : public encoder {
 public:
  void write(std::string_view piece, std::string& out) override { out += piece; }
  void finish(std::string&) override {}
};

class gzip final : public encoder {
 public:
  gzip() {
    constexpr int gzip_window = 15 + 16;
    constexpr int memory_level = 8;
    if (::deflateInit2(&stream_, Z_DEFAULT_COMPRESSION, Z_DEFLATED, gzip_window, memory_level,
                       Z_DEFAULT_STRATEGY) != Z_OK) {
      throw std::runtime_error("gzip cannot start");
    }
  }
  ~gzip() override { ::deflateEnd(&stream_); }
  gzip(gzip const&) = delete;
  gzip& operator=(gzip const&) = delete;

  void write(std::string_view piece, std::string& out) override { run(piece, Z_NO_FLUSH, out); }
  void finish(std::string& out) override { run({}, Z_FINISH, out); }

 private:
  void run(std::string_view piece, int flush, std::string& out) {
    // zlib reads through this pointer only.
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(piece.data()));
    stream_.avail_in = static_cast<uInt>(piece.size());
    do {
      stream_.next_out = buffer_.data();
      stream_.avail_out = static_cast<uInt>(buffer_.size());
      if (::deflate(&stream_, flush) == Z_STREAM_ERROR) throw std::runtime_error("gzip failed");
      out.append(reinterpret_cast<char const*>(buffer_.data()), buffer_.size() - stream_.avail_out);
    } while (stream_.avail_out == 0);
  }

  z_stream stream_{};
  std::array<Bytef, out_bytes> buffer_{};
};

class zstd final : public encoder {
 public:
  zstd() : context_(::ZSTD_createCCtx()) {
    if (!context_) throw std::bad_alloc();
  }
  void write(std::string_view piece, std::string& out) override {
    ZSTD_inBuffer in{piece.data(), piece.size(), 0};
    while (in.pos < in.size) run(in, ZSTD_e_continue, out);
  }
  void finish(std::string& out) override {
    ZSTD_inBuffer in{nullptr, 0, 0};
    while (run(in, ZSTD_e_end, out) != 0) {
    }
  }

 private:
  std::size_t run(ZSTD_inBuffer& in, ZSTD_EndDirective end, std::string& out) {
    ZSTD_outBuffer to{buffer_.data(), buffer_.size(), 0};
    auto const left = ::ZSTD_compressStream2(context_.get(), &to, &in, end);
    if (::ZSTD_isError(left) != 0) {
      throw std::runtime_error(std::string("zstd failed: ") + ::ZSTD_getErrorName(left));
    }
    out.append(buffer_.data(), to.pos);
    return left;
  }

  struct free_context {
    void operator()(ZSTD_CCtx* c) const { ::ZSTD_freeCCtx(c); }
  };
  std::unique_ptr<ZSTD_CCtx, free_context> context_;
  std::array<char, out_bytes> buffer_{};
};

std::unique_ptr<encoder> make(content_coding coding) {
  switch (coding) {
    case content_coding::gzip:
      return std::make_unique<gzip>();
    case content_coding::zstd:
      return std::make_unique<zstd>();
    case content_coding::none:
      break;
  }
  return std::make_unique<plain>();
}

}  // namespace

std::string_view coding_name(content_coding coding) {
  switch (coding) {
    case content_coding::gzip:
      return "gzip";
    case content_coding::zstd:
      return "zstd";
    case content_coding::none:
      break;
  }
  return "";
}

std::optional<std::string> compress(content_coding coding, envelope_text const& text,
                                    std::function<bool()> const& cancelled) {
  auto const to = make(coding);
  std::string out;
  for (std::string_view part : {std::string_view(text.before), text.trace, std::string_view(text.after)}) {
    while (!part.empty()) {
      if (cancelled()) return std::nullopt;
      auto const piece = part.substr(0, piece_bytes);
      to->write(piece, out);
      part.remove_prefix(piece.size());
    }
  }
  to->finish(out);
  return out;
}

}  // namespace profile_relay::sdk
