#include "server/io/cli.hpp"

#include <CLI/CLI.hpp>
#include <functional>
#include <iostream>

#include "server/io/cmd.hpp"
#include "server/io/cmd_files.hpp"

namespace profile_relay::server {

namespace {

/// What the command line chose, with its arguments filled in.
using action = std::function<int()>;

struct arguments {
  config_arguments config;
  std::vector<std::string> settings;
  std::string self_dsn;
  run_arguments run;
  healthcheck_arguments health;
  spool_arguments spool;
  send_arguments send;
  decode_arguments decode;
  inspect_arguments inspect;
  top_arguments top;
  action chosen;

  /// --set key=value; the last of a key wins.
  config_arguments const& with_settings() {
    for (auto const& text : settings) {
      auto const equals = text.find('=');
      if (equals == 0 || equals == std::string::npos)
        throw CLI::ValidationError("--set",
                                   "wants key=value, for example relay.port=3001, not \"" + text + "\"");
      config.overrides[text.substr(0, equals)] = text.substr(equals + 1);
    }
    return config;
  }
};

void add_config(CLI::App& app, arguments& a) {
  app.add_option("-c,--config", a.config.dir, "the configuration folder")
      ->type_name("DIR")
      ->capture_default_str();
  app.add_option("--set", a.settings, "sets one option, for example --set relay.port=3001")
      ->type_name("KEY=VALUE");
}

void add_server_commands(CLI::App& app, arguments& a) {
  auto* run = app.add_subcommand("run", "starts the server");
  add_config(*run, a);
  run->add_flag("--dry-run", a.run.dry_run, "accepts and counts, delivers and stores nothing");
  run->add_option("--profile-self", a.self_dsn, "short for --set profiling.self_dsn=DSN")->type_name("DSN");
  run->callback([&a] {
    if (!a.self_dsn.empty()) a.settings.push_back("profiling.self_dsn=" + a.self_dsn);
    a.run.config = a.with_settings();
    a.chosen = [&a] { return cmd_run(a.run); };
  });

  auto* config = app.add_subcommand("config", "the configuration folder")->require_subcommand(1);
  auto* init =
      config->add_subcommand("init", "writes a commented config.yml and a demo project; overwrites nothing");
  init->add_option("-c,--config", a.config.dir, "the configuration folder")
      ->type_name("DIR")
      ->capture_default_str();
  init->callback([&a] { a.chosen = [&a] { return cmd_config_init(a.config.dir); }; });
  auto* show = config->add_subcommand("show", "prints the settings in force; secrets are hidden");
  add_config(*show, a);
  show->callback([&a] {
    a.with_settings();
    a.chosen = [&a] { return cmd_config_show(a.config); };
  });
  auto* docs = config->add_subcommand("docs", "prints the table of all options as Markdown")->group("");
  docs->callback([&a] { a.chosen = cmd_config_docs; });

  app.add_subcommand("reasons", "prints what can end a request or a chunk, and what to do, as Markdown")
      ->callback([&a] { a.chosen = cmd_reasons; });

  auto* check = app.add_subcommand("check-config", "reads config.yml and all project files; changes nothing");
  add_config(*check, a);
  check->callback([&a] {
    a.with_settings();
    a.chosen = [&a] { return cmd_check_config(a.config); };
  });

  auto* health = app.add_subcommand(
      "healthcheck",
      "asks a running server how it is; no answer within health.probe_timeout_ms counts as bad");
  add_config(*health, a);
  health->add_option("--mode", a.health.mode, "live or ready")
      ->check(CLI::IsMember({"live", "ready"}))
      ->capture_default_str();
  health->add_option("--url", a.health.url, "http://host:port instead of the configured address")
      ->type_name("URL");
  health->callback([&a] {
    a.health.config = a.with_settings();
    a.chosen = [&a] { return cmd_healthcheck(a.health); };
  });

  auto* spool = app.add_subcommand("spool", "the records on disk")->require_subcommand(1);
  auto* ls = spool->add_subcommand("ls", "lists them, oldest first, beside a running server");
  add_config(*ls, a);
  ls->add_flag("--json", a.spool.json, "as a JSON array");
  ls->callback([&a] {
    a.spool.config = a.with_settings();
    a.chosen = [&a] { return cmd_spool_ls(a.spool); };
  });
  auto* out =
      spool->add_subcommand("export", "writes a folder for each record; changes nothing in the spool");
  add_config(*out, a);
  out->add_option("--out", a.spool.out, "the folder to write to")->type_name("DIR")->required();
  out->callback([&a] {
    a.spool.config = a.with_settings();
    a.chosen = [&a] { return cmd_spool_export(a.spool); };
  });
  auto const on_records = [&](char const* name, char const* what, int (*act)(spool_arguments const&)) {
    auto* command = spool->add_subcommand(name, what);
    add_config(*command, a);
    command->add_option("id", a.spool.ids, "as `spool ls` shows it; several are taken one by one")
        ->required();
    command->callback([&a, act] {
      a.spool.config = a.with_settings();
      a.chosen = [&a, act] { return act(a.spool); };
    });
  };
  on_records("rm", "takes records out for good, with an outcome for each; none that is in flight",
             cmd_spool_rm);
  on_records("retry", "lets dead records be sent again", cmd_spool_retry);
}

void add_file_commands(CLI::App& app, arguments& a) {
  auto* send = app.add_subcommand("send", "sends a Perfetto trace as a profile chunk and prints the answer");
  send->add_option("file", a.send.file, "the trace, - for standard input")->required();
  send->add_option("--dsn", a.send.dsn, "http://KEY@HOST:PORT/PROJECT")->required();
  send->add_option("--metadata", a.send.metadata, "the chunk's metadata as JSON; made up when missing")
      ->type_name("FILE");
  send->add_option("--platform", a.send.platform,
                   "of the item header; default: the metadata's, else android");
  send->add_flag("--gzip", a.send.gzip, "compresses the request");
  send->callback([&a] { a.chosen = [&a] { return cmd_send(a.send); }; });

  auto* decode =
      app.add_subcommand("decode", "prints the Sample v2 JSON that the server would make of a trace");
  decode->add_option("file", a.decode.file, "the trace, - for standard input")->required();
  decode->add_flag("--pretty", a.decode.pretty, "indented");
  decode->add_option("--metadata", a.decode.metadata, "the chunk's metadata as JSON; made up when missing")
      ->type_name("FILE");
  decode->add_option("--platform", a.decode.platform, "default: the metadata's, else android");
  decode->add_flag("!--no-normalize", a.decode.normalize, "keeps single-sample threads and long chunks");
  decode->add_flag("--json", a.decode.json, "prints a rejection as JSON too, on standard output");
  decode->callback([&a] { a.chosen = [&a] { return cmd_decode(a.decode); }; });

  auto* inspect = app.add_subcommand("inspect", "shows what is inside a trace");
  inspect->add_option("file", a.inspect.file, "the trace, - for standard input")->required();
  inspect->add_flag("--json", a.inspect.json, "as JSON");
  inspect->add_flag("--samples", a.inspect.samples, "lists every decoded sample with its stack");
  inspect->add_flag("--all", a.inspect.all, "cuts no list, and lists the clock snapshots");
  inspect->callback([&a] { a.chosen = [&a] { return cmd_inspect(a.inspect); }; });

  auto* top = app.add_subcommand("top", "shows the hottest functions of a Sample v2 JSON file");
  top->add_option("file", a.top.file, "the JSON, - for standard input")->required();
  top->add_option("-n,--count", a.top.count, "how many")->check(CLI::Range(1, 10'000))->capture_default_str();
  top->callback([&a] { a.chosen = [&a] { return cmd_top(a.top); }; });
}

int run_parsed(int argc, char const* const* argv) {
  CLI::App app{"Takes Perfetto profile chunks over HTTP, as Relay does, and puts them on Kafka as Sample v2.",
               "profile-relay"};
  app.set_version_flag("--version", "profile-relay " PROFILE_RELAY_VERSION);
  app.require_subcommand(1);
  app.failure_message([](CLI::App const*, CLI::Error const& e) {
    return std::string("profile-relay: ") + e.what() + "; see profile-relay --help\n";
  });
  arguments a;
  add_server_commands(app, a);
  add_file_commands(app, a);
  try {
    app.parse(argc, argv);
  } catch (CLI::ParseError const& e) {
    return app.exit(e, std::cout, std::cerr) == 0 ? 0 : 2;
  }
  return a.chosen();
}

}  // namespace

int run_command_line(int argc, char const* const* argv) {
  try {
    return run_parsed(argc, argv);
  } catch (std::exception const& e) {
    return fail(e.what());
  }
}

}  // namespace profile_relay::server
