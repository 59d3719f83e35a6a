#!/bin/sh
# kafka-run-class.sh CLASS ARGUMENTS...
exec java -Xmx"${KAFKA_HEAP:-256m}" -Dorg.slf4j.simpleLogger.defaultLogLevel="${KAFKA_LOG_LEVEL:-error}" \
  -cp '/opt/kafka/libs/*' "$@"
