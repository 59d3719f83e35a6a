#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace profile_relay::server {

/// `http.trusted_proxies`: whose `X-Forwarded-For` is believed (contract 13).
class trusted_proxies {
 public:
  trusted_proxies();
  /// Addresses or CIDR networks. Absent = one of them is neither; `bad` receives it.
  static std::optional<trusted_proxies> parse(std::vector<std::string> const& texts, std::string& bad);
  bool contains(std::string_view address) const;

 private:
  struct networks;
  std::shared_ptr<const networks> networks_;
};

/// The client's address: the first of `forwarded_for` when the peer is a trusted proxy, else the peer's own.
std::string client_address(std::string_view peer, std::optional<std::string_view> forwarded_for,
                           trusted_proxies const& proxies);

}  // namespace profile_relay::server
