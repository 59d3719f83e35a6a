#include "profile/write_frames.hpp"

#include "profile/decimal_table.hpp"
#include "profile/json_text.hpp"
#include "profile/text_block.hpp"

namespace profile_relay::profile {

using sample_v2::frame;
using sample_v2::optional_text;

namespace {

/// Of a frame without its texts: keys, punctuation, numbers.
constexpr std::size_t fixed_size = 256;

template <class Size>
std::size_t size_of(frame const& f, Size size) {
  return fixed_size + size(f.abs_path.text()) + size(f.filename.text()) + size(f.function.text()) +
         size(f.module.text()) + size(f.package.text()) + size(f.platform.text());
}

// Each writes its key, its value and a comma, if there is a value.
char* write(char* to, std::string_view key, optional_text const& v) {
  if (!v) return to;
  to = json_text::write_string(write_text(to, key), *v);
  *to++ = ',';
  return to;
}

char* write(char* to, std::string_view key, std::optional<std::uint32_t> const& v) {
  if (!v) return to;
  to = write_decimal(write_text(to, key), *v);
  *to++ = ',';
  return to;
}

char* write_frame(char* to, frame const& f) {
  char* const first = to;
  *to++ = '{';
  to = write(to, "\"abs_path\":", f.abs_path);
  to = write(to, "\"colno\":", f.colno);
  to = write(to, "\"filename\":", f.filename);
  to = write(to, "\"function\":", f.function);
  if (f.in_app) to = write_text(to, *f.in_app ? "\"in_app\":true," : "\"in_app\":false,");
  if (f.instruction_addr) {
    to = json_text::write_address(write_text(to, "\"instruction_addr\":"), *f.instruction_addr);
    *to++ = ',';
  }
  to = write(to, "\"lineno\":", f.lineno);
  to = write(to, "\"module\":", f.module);
  to = write(to, "\"package\":", f.package);
  to = write(to, "\"platform\":", f.platform);
  if (to - first > 1) --to;  // the last comma
  *to++ = '}';
  *to++ = ',';
  return to;
}

}  // namespace

bool append_frames(std::string& out, sample_v2::chunk const& c, std::size_t max_bytes) {
  text_block b(out, max_bytes);
  for (auto const& f : c.frames) {
    auto size = size_of(f, json_text::max_string_size);
    if (size > text_block::capacity) size = size_of(f, json_text::string_size);
    char* to = b.room(size);
    if (!to) return false;
    b.advance_to(write_frame(to, f));
  }
  if (!b.flush()) return false;
  if (!c.frames.empty()) out.pop_back();  // the last comma
  return true;
}

}  // namespace profile_relay::profile
