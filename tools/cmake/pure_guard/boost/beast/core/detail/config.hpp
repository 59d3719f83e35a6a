#error "a pure library may not include <boost/beast/core/detail/config.hpp>: sockets, threads, logging and storage belong in server/"
