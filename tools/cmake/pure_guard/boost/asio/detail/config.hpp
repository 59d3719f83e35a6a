#error "a pure library may not include <boost/asio/detail/config.hpp>: sockets, threads, logging and storage belong in server/"
