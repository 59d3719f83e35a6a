#!/bin/sh
# Starts Kafka as the official image does: KAFKA_SOME_NAME becomes the property some.name (a double underscore is an
# underscore, a triple one a dash); a new data folder is formatted first.
set -eu
properties=/opt/kafka/config/server.properties
env | grep '^KAFKA_' | grep -v -E '^KAFKA_(HEAP|LOG_LEVEL|HEAP_OPTS|OPTS|VERSION|HOME|JMX_OPTS)=' | while IFS='=' read -r name value; do
  key=$(printf '%s' "${name#KAFKA_}" | tr '[:upper:]' '[:lower:]' | sed 's/___/-/g; s/__/@/g; s/_/./g; s/@/_/g')
  printf '%s=%s\n' "$key" "$value"
done > "$properties"
if ! grep -q . "$properties"; then
  echo "no KAFKA_* variables: nothing to start" >&2
  exit 1
fi
/opt/kafka/bin/kafka-run-class.sh kafka.tools.StorageTool format --ignore-formatted \
  -t "${CLUSTER_ID:-cHJvZmlsZS1yZWxheS0wMQ}" -c "$properties"
KAFKA_HEAP=512m KAFKA_LOG_LEVEL=warn exec /opt/kafka/bin/kafka-run-class.sh kafka.Kafka "$properties"
