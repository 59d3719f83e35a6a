#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace profile_relay::server {

/// The subcommands. Each prints what it has to say and returns the exit status: 0, or 1 with one sentence on stderr.

struct config_arguments {
  std::filesystem::path dir = ".relay";
  std::map<std::string, std::string> overrides;  ///< --set key=value
};

struct run_arguments {
  config_arguments config;
  bool dry_run = false;  ///< accept and count, deliver and store nothing
};
int cmd_run(run_arguments const& a);

int cmd_config_init(std::filesystem::path const& dir);
int cmd_config_show(config_arguments const& a);
int cmd_config_docs();
int cmd_reasons();
int cmd_check_config(config_arguments const& a);

struct healthcheck_arguments {
  config_arguments config;
  std::string mode = "ready";  ///< or "live"
  std::string url;             ///< http://host:port; "" = the address of the configuration
};
int cmd_healthcheck(healthcheck_arguments const& a);

struct spool_arguments {
  config_arguments config;
  bool json = false;
  std::filesystem::path out;      ///< of export
  std::vector<std::int64_t> ids;  ///< of rm and retry
};
int cmd_spool_ls(spool_arguments const& a);
int cmd_spool_export(spool_arguments const& a);
int cmd_spool_rm(spool_arguments const& a);
int cmd_spool_retry(spool_arguments const& a);

struct send_arguments {
  std::string file, dsn, metadata, platform;
  bool gzip = false;
  std::chrono::milliseconds timeout{30'000};
};
int cmd_send(send_arguments const& a);

struct decode_arguments {
  std::string file, metadata, platform;
  bool pretty = false, normalize = true;
  bool json = false;  ///< a rejection too is JSON, on standard output
};
int cmd_decode(decode_arguments const& a);

struct inspect_arguments {
  std::string file;
  bool json = false, samples = false;
  bool all = false;  ///< lists in full
};
int cmd_inspect(inspect_arguments const& a);

struct top_arguments {
  std::string file;
  std::uint32_t count = 10;
};
int cmd_top(top_arguments const& a);

}  // namespace profile_relay::server
