# A stand-in for apache/kafka where no image registry can be reached: the same release from the pinned jars, the same
# paths, user and KAFKA_* variables. Made by ./dev container only.
FROM debian:bookworm-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends openjdk-17-jre-headless \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --uid 1000 appuser \
 && install -d -o appuser -g appuser /opt/kafka/config /var/lib/kafka/data
COPY libs /opt/kafka/libs
COPY bin /opt/kafka/bin
USER appuser
EXPOSE 9092
VOLUME ["/var/lib/kafka/data"]
CMD ["/opt/kafka/bin/run-from-environment.sh"]
