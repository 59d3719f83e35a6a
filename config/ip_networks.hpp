#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace profile_relay::config {

/// An IPv4 or IPv6 address. The v4-mapped form ("::ffff:10.0.0.1") is the IPv4 address: a v4 client on a v6 socket is
/// still the v4 client.
class ip_address {
 public:
  /// Absent when the text is not an address in its usual notation; names, ports and zones ("%eth0") are refused.
  static std::optional<ip_address> parse(std::string_view text);
  bool is_v4() const;
  std::string text() const;

 private:
  friend class ip_network;
  std::array<std::uint8_t, 16> bytes_{};  // as IPv6; IPv4 in the v4-mapped form
};

/// An address, or a network in CIDR form ("10.0.0.0/8"). Holds addresses of its own family only: ::/0 has no IPv4
/// client in it.
class ip_network {
 public:
  /// Absent when the text is neither. Bits behind the prefix are ignored.
  static std::optional<ip_network> parse(std::string_view text);
  bool contains(ip_address const& address) const;

 private:
  ip_address first_;
  std::size_t prefix_ = 128;  // of the 128 bits of first_
};

/// Addresses and networks, parsed once. Looking one up is linear in their number.
class ip_networks {
 public:
  /// False, and nothing added, when the text is neither an address nor a network.
  [[nodiscard]] bool add(std::string_view text);
  /// False also for a text that is no address.
  bool contains(std::string_view address) const;
  std::size_t size() const { return networks_.size(); }

 private:
  std::vector<ip_network> networks_;
};

}  // namespace profile_relay::config
