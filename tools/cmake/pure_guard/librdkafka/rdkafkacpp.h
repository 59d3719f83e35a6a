#error "a pure library may not include <librdkafka/rdkafkacpp.h>: sockets, threads, logging and storage belong in server/"
