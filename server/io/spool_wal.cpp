// https://www.sqlite.org/fileformat2.html#walformat
#include "server/io/spool_wal.hpp"

#include <array>
#include <cstddef>
#include <fstream>
#include <optional>
#include <span>
#include <vector>

#include "server/io/spool_format.hpp"

namespace profile_relay::server {
namespace {

constexpr std::size_t header_bytes = 32, frame_header_bytes = 24;
constexpr std::size_t frame_bytes = frame_header_bytes + spool_page_size;
constexpr std::uint32_t magic = 0x377f0682;  // its lowest bit: sums are over big-endian words

using bytes = std::span<unsigned char>;

std::uint32_t big_endian(std::span<unsigned char const> b, std::size_t at) {
  return static_cast<std::uint32_t>(b[at]) << 24U | static_cast<std::uint32_t>(b[at + 1]) << 16U |
         static_cast<std::uint32_t>(b[at + 2]) << 8U | static_cast<std::uint32_t>(b[at + 3]);
}

void put_big_endian(bytes b, std::size_t at, std::uint32_t v) {
  for (std::size_t i = 0; i < 4; ++i) b[at + i] = static_cast<unsigned char>(v >> (24U - 8U * i));
}

struct checksum {
  std::uint32_t a = 0, b = 0;
  bool operator==(checksum const&) const = default;

  void add(std::span<unsigned char const> data, bool big) {
    auto const word = [&](std::size_t at) {
      auto const v = big_endian(data, at);
      return big ? v : __builtin_bswap32(v);
    };
    for (std::size_t i = 0; i + 8 <= data.size(); i += 8) {
      a += word(i) + b;
      b += word(i + 4) + a;
    }
  }
};

checksum sum_at(std::span<unsigned char const> b, std::size_t at) {
  return {big_endian(b, at), big_endian(b, at + 4)};
}
void put_sum(bytes b, std::size_t at, checksum s) {
  put_big_endian(b, at, s.a);
  put_big_endian(b, at + 4, s.b);
}

/// Goes through a log, frame by frame. Each is judged by the sum that the frame before it carries, so one damaged
/// frame does not condemn those behind it.
class wal_reader {
 public:
  explicit wal_reader(std::filesystem::path const& path) : in_(path, std::ios::binary) {
    if (!read(header_)) return;
    open_ = true;
    auto const m = big_endian(header_, 0);
    big_ = (m & ~1U) == magic && (m & 1U) != 0;
    checksum sum;
    sum.add(std::span(header_).first(24), big_);
    header_good_ =
        (m & ~1U) == magic && sum == sum_at(header_, 24) && big_endian(header_, 8) == spool_page_size;
    before_ = sum_at(header_, 24);
    if (header_good_) salts_ = sum_at(header_, 16);
  }

  bool open() const { return open_; }
  bool header_good() const { return header_good_; }
  bool big() const { return big_; }
  bytes header() { return header_; }
  bytes frame() { return frame_; }

  bool next() { return open_ && read(frame_); }
  /// Of the frame just read; moves on to it.
  bool judge() {
    checksum const salt{big_endian(frame_, 8), big_endian(frame_, 12)};
    if (!salts_) salts_ = salt;  // the header is lost: the first frame is of the newest round
    checksum sum = before_;
    sum.add(bytes(frame_).first(8), big_);
    sum.add(bytes(frame_).subspan(frame_header_bytes), big_);
    before_ = sum_at(frame_, 16);
    return salt == *salts_ && sum == before_;
  }
  /// Of the frame just judged, as far as its head can be believed.
  bool commits() const {
    return checksum{big_endian(frame_, 8), big_endian(frame_, 12)} == *salts_ && big_endian(frame_, 4) != 0;
  }

 private:
  template <class Container>
  bool read(Container& to) {
    in_.read(reinterpret_cast<char*>(to.data()), static_cast<std::streamsize>(to.size()));
    return static_cast<std::size_t>(in_.gcount()) == to.size();
  }

  std::ifstream in_;
  std::array<unsigned char, header_bytes> header_{};
  std::vector<unsigned char> frame_ = std::vector<unsigned char>(frame_bytes);
  std::optional<checksum> salts_;
  checksum before_;
  bool open_ = false, header_good_ = false, big_ = false;
};

}  // namespace

wal_survey survey_wal(std::filesystem::path const& wal) {
  wal_survey s;
  wal_reader reader(wal);
  bool reads_on = reader.header_good(), committed = false;
  while (reader.next()) {
    bool const good = reader.judge();
    reads_on = reads_on && good;
    s.frames += reads_on;
    if (reads_on) continue;
    s.cut_off += good;
    s.damaged = s.damaged || (good && committed);
    committed = committed || reader.commits();
  }
  return s;
}

bool reseal_wal(std::filesystem::path const& wal, std::filesystem::path const& to) {
  wal_reader reader(wal);
  std::ofstream out(to, std::ios::binary | std::ios::trunc);
  auto const write = [&out](bytes b) {
    out.write(reinterpret_cast<char const*>(b.data()), static_cast<std::streamsize>(b.size()));
  };
  if (!reader.open()) return out.good();
  auto header = reader.header();
  constexpr std::uint32_t format = 3'007'000;
  put_big_endian(header, 0, magic | (reader.big() ? 1U : 0U));
  put_big_endian(header, 4, format);
  put_big_endian(header, 8, spool_page_size);
  std::optional<checksum> chain;
  while (reader.next()) {
    if (!reader.judge()) continue;
    auto frame = reader.frame();
    if (!chain) {
      // The salts of the round, which a damaged header has lost.
      put_sum(header, 16, sum_at(frame, 8));
      chain.emplace();
      chain->add(bytes(header).first(24), reader.big());
      put_sum(header, 24, *chain);
      write(header);
    }
    chain->add(frame.first(8), reader.big());
    chain->add(frame.subspan(frame_header_bytes), reader.big());
    put_sum(frame, 16, *chain);
    write(frame);
  }
  out.close();
  return !out.fail();
}

}  // namespace profile_relay::server
