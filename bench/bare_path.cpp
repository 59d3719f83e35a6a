#include <librdkafka/rdkafka.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <iostream>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <vector>

/// The least that can take a POST body over HTTP and put it on Kafka before it says 200. It parses no
/// envelope, knows no project and keeps no promise on failure: what profile-relay costs above this is
/// profile-relay's own.
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using tcp = asio::ip::tcp;
constexpr auto as_tuple = asio::as_tuple(asio::use_awaitable);

constexpr std::uint64_t body_limit = 100u << 20;

/// What a delivery report needs to wake its session, which lives in the coroutine's frame and waits for it.
struct pending {
  explicit pending(asio::io_context& io) : context(io), wake(io) {}
  asio::io_context& context;
  asio::steady_timer wake;
  bool delivered = false;
};

class producer {
 public:
  producer(std::string const& broker, std::string const& topic, std::string const& compression) {
    auto* conf = rd_kafka_conf_new();
    set(conf, "bootstrap.servers", broker);
    set(conf, "linger.ms", "1");
    set(conf, "acks", "all");
    set(conf, "enable.idempotence", "false");
    set(conf, "compression.type", compression);
    set(conf, "message.max.bytes", "100000000");
    set(conf, "message.copy.max.bytes", "0");
    rd_kafka_conf_set_dr_msg_cb(conf, &producer::report);
    char why[512];
    kafka_ = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
    if (kafka_ == nullptr) throw std::runtime_error(why);
    topic_ = rd_kafka_topic_new(kafka_, topic.c_str(), nullptr);
    if (topic_ == nullptr) throw std::runtime_error("no topic " + topic);
    poller_ = std::thread([this] {
      while (!stopping_) rd_kafka_poll(kafka_, 100);
    });
  }
  producer(producer const&) = delete;
  producer& operator=(producer const&) = delete;
  ~producer() {
    stopping_ = true;
    poller_.join();
    rd_kafka_flush(kafka_, 5'000);
    rd_kafka_topic_destroy(topic_);
    rd_kafka_destroy(kafka_);
  }

  /// False if the queue is full. Otherwise `bytes` must stay where they are until `who` is woken.
  bool send(std::span<char> bytes, pending& who) {
    constexpr int neither_copy_nor_free = 0;
    return rd_kafka_produce(topic_, RD_KAFKA_PARTITION_UA, neither_copy_nor_free, bytes.data(), bytes.size(),
                            nullptr, 0, &who) == 0;
  }

 private:
  static void set(rd_kafka_conf_t* conf, char const* key, std::string const& value) {
    char why[512];
    if (rd_kafka_conf_set(conf, key, value.c_str(), why, sizeof why) != RD_KAFKA_CONF_OK)
      throw std::runtime_error(why);
  }
  static void report(rd_kafka_t*, rd_kafka_message_t const* message, void*) {
    auto* who = static_cast<pending*>(message->_private);
    bool const ok = message->err == RD_KAFKA_RESP_ERR_NO_ERROR;
    asio::post(who->context, [who, ok] {
      who->delivered = ok;
      who->wake.cancel();
    });
  }

  rd_kafka_t* kafka_ = nullptr;
  rd_kafka_topic_t* topic_ = nullptr;
  std::atomic<bool> stopping_{false};
  std::thread poller_;
};

/// Beast reads the head, the body goes straight into a buffer that is used again: string_body would be read in
/// pieces of 64 KiB and copied, which costs more than all the rest of this path.
asio::awaitable<void> serve(tcp::socket socket, producer& kafka, asio::io_context& io, std::size_t record) {
  boost::beast::flat_buffer buffer;
  std::string body;
  std::size_t filled = 0;  // up to here the record holds what compresses like the body
  pending report(io);
  for (;;) {
    http::request_parser<http::empty_body> parser;
    auto [head_error, head] = co_await http::async_read_header(socket, buffer, parser, as_tuple);
    if (head_error) co_return;
    auto const length = parser.content_length().value_or(0);
    if (length == 0 || length > body_limit) co_return;
    body.resize(std::max<std::size_t>(length, record));
    auto const here = asio::buffer_copy(asio::buffer(body, length), buffer.data());
    buffer.consume(here);
    auto [body_error, rest] =
        co_await asio::async_read(socket, asio::buffer(body.data() + here, length - here), as_tuple);
    if (body_error) co_return;
    for (filled = std::max<std::size_t>(filled, length); filled < record;)
      filled += body.copy(body.data() + filled, std::min<std::size_t>(length, record - filled));
    report.delivered = false;
    report.wake.expires_at(asio::steady_timer::time_point::max());
    // The report is posted to this thread, so it cannot run before the wait below has begun.
    if (kafka.send({body.data(), record > 0 ? record : length}, report))
      co_await report.wake.async_wait(as_tuple);
    http::response<http::empty_body> response(
        report.delivered ? http::status::ok : http::status::service_unavailable, parser.get().version());
    response.keep_alive(parser.get().keep_alive());
    response.prepare_payload();
    auto [write_error, written] = co_await http::async_write(socket, response, as_tuple);
    if (write_error || !response.keep_alive()) co_return;
  }
}

asio::awaitable<void> accept(tcp::acceptor& acceptor, producer& kafka, asio::io_context& io,
                             std::size_t record) {
  for (;;) {
    auto [error, socket] = co_await acceptor.async_accept(as_tuple);
    if (error) co_return;
    boost::system::error_code ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    asio::co_spawn(io, serve(std::move(socket), kafka, io, record), asio::detached);
  }
}

using reuse_port = asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"The bare HTTP to Kafka path against which profile-relay is measured."};
  std::uint16_t port = 0;
  std::string broker, topic = "profiles", compression = "none";
  std::size_t record = 0;
  unsigned threads = 2;
  app.add_option("--port", port, "on 127.0.0.1")->required();
  app.add_option("--broker", broker, "host:port of Kafka")->required();
  app.add_option("--topic", topic, "must exist")->capture_default_str();
  app.add_option("--compression", compression, "librdkafka's compression.type")->capture_default_str();
  app.add_option("--record-bytes", record, "of each record: the body cut, or repeated; 0 = as it came")
      ->capture_default_str();
  app.add_option("--threads", threads, "each with its own event loop and listening socket")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);

  try {
    // The producer goes first at the end: its last reports are posted to loops that still exist.
    std::vector<std::unique_ptr<asio::io_context>> loops;
    std::vector<tcp::acceptor> acceptors;
    producer kafka(broker, topic, compression);
    acceptors.reserve(threads);
    for (unsigned i = 0; i < threads; ++i) {
      auto& io = *loops.emplace_back(std::make_unique<asio::io_context>(1));
      auto& acceptor = acceptors.emplace_back(io);
      acceptor.open(tcp::v4());
      acceptor.set_option(reuse_port(true));
      acceptor.bind({asio::ip::address_v4::loopback(), port});
      acceptor.listen();
      asio::co_spawn(io, accept(acceptor, kafka, io, record), asio::detached);
    }
    asio::signal_set signals(*loops.front(), SIGINT, SIGTERM);
    signals.async_wait([&](auto, int) {
      for (auto& io : loops) io->stop();
    });
    std::vector<std::thread> workers;
    for (std::size_t i = 1; i < loops.size(); ++i) workers.emplace_back([&io = *loops[i]] { io.run(); });
    std::cerr << "bare-path: ready http=127.0.0.1:" << port << '\n';
    loops.front()->run();
    for (auto& worker : workers) worker.join();
  } catch (std::exception const& problem) {
    std::cerr << "bare-path: " << problem.what() << '\n';
    return 1;
  }
  return 0;
}
