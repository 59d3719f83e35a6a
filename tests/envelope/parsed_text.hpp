#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "envelope/envelope.hpp"

namespace profile_relay::envelope::test {

/// A body that stays alive as long as the views that `parse` made of it.
class parsed_text {
 public:
  explicit parsed_text(std::string_view body) : copy_(body), outcome_(parse(copy_.view())) {}

  result<parsed_envelope> const& outcome() const { return outcome_; }
  std::vector<item> const& items() const { return outcome_.value().items; }
  padded_view body() const { return copy_.view(); }

 private:
  padded_copy copy_;
  result<parsed_envelope> outcome_;
};

/// "ok", or the error's name: reads well in a failed table row.
template <class T>
std::string verdict(result<T> const& r) {
  return r ? "ok" : std::string(name(r.error().code));
}

}  // namespace profile_relay::envelope::test
