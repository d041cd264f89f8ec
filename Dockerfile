# The images of the programs, one target for each: order-service, inventory-service, event-relay-service, trackops.
# The programs are compiled once; each image holds one program, the libraries that it loads and what they read, and no shell.
#   ./dev image         builds all four          ./dev image-test    runs and checks them
# With another base (ARG BASE) the names of the Boost packages change: Debian 12 has 1.81.
ARG BASE=debian:trixie-slim

FROM ${BASE} AS build
RUN apt-get update -q && apt-get install -q -y --no-install-recommends \
        ca-certificates cmake g++ libcjose-dev libjansson-dev libboost-url1.83-dev libboost1.83-dev libfmt-dev libhiredis-dev libjemalloc-dev libpq-dev \
        librdkafka-dev libsimdjson-dev libsodium-dev libspdlog-dev libsqlite3-dev libssl-dev mold ninja-build pkg-config \
        prometheus-cpp-dev python3 python3-yaml tzdata && \
    rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY CMakeLists.txt ./
COPY apps apps
COPY bench bench
COPY cmake cmake
COPY contracts contracts
COPY src src
ARG JOBS=2
RUN cmake -S . -B /build -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_FLAGS_RELEASE=-O2 -DTRACKOPS_TESTS=OFF >/build.log || \
        { cat /build.log; exit 1; }; \
    cmake --build /build -j "$JOBS" --target order-service inventory-service event-relay-service trackops
COPY LICENSE deploy/image/collect.py ./
# The commit stands in one file of the programs, so a new one compiles only that.
ARG COMMIT=unknown
RUN cmake -S . -B /build -DTRACKOPS_COMMIT="$COMMIT" >/dev/null && \
    cmake --build /build -j "$JOBS" --target order-service inventory-service event-relay-service trackops && \
    for program in order-service inventory-service event-relay-service trackops; do \
        python3 collect.py "/build/bin/$program" "/images/$program" || exit 1; \
    done && mkdir /images/data

# `docker inspect` shows these in each image.
FROM scratch AS image
ARG COMMIT=unknown
ARG VERSION=0
LABEL org.opencontainers.image.vendor="TrackOps" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$COMMIT" \
      org.opencontainers.image.base.name="scratch"
ENV PATH=/usr/bin LANG=C.UTF-8 SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
STOPSIGNAL SIGTERM

FROM image AS order-service
LABEL org.opencontainers.image.title="order-service" \
      org.opencontainers.image.description="TrackOps: orders over HTTP, their sagas and the replies of the inventory service"
COPY --from=build /images/order-service /
USER 65532:65532
EXPOSE 8080
HEALTHCHECK --interval=5s --timeout=3s --start-period=60s --retries=3 CMD ["/usr/bin/order-service", "health"]
ENTRYPOINT ["/usr/bin/order-service"]

FROM image AS inventory-service
LABEL org.opencontainers.image.title="inventory-service" \
      org.opencontainers.image.description="TrackOps: stock over HTTP and the reservations of orders"
COPY --from=build /images/inventory-service /
USER 65532:65532
EXPOSE 8081
HEALTHCHECK --interval=5s --timeout=3s --start-period=60s --retries=3 CMD ["/usr/bin/inventory-service", "health"]
ENTRYPOINT ["/usr/bin/inventory-service"]

FROM image AS event-relay-service
LABEL org.opencontainers.image.title="event-relay-service" \
      org.opencontainers.image.description="TrackOps: moves committed events of the order database to Kafka"
COPY --from=build /images/event-relay-service /
USER 65532:65532
EXPOSE 8082
HEALTHCHECK --interval=5s --timeout=3s --start-period=60s --retries=3 CMD ["/usr/bin/event-relay-service", "health"]
ENTRYPOINT ["/usr/bin/event-relay-service"]

# The operator's program: migrate, verify, load, routes, sim; `dev` keeps its data in the folder /data.
FROM image AS trackops
LABEL org.opencontainers.image.title="trackops" \
      org.opencontainers.image.description="TrackOps: the operator's program and the three services in one process"
COPY --from=build /images/trackops /
COPY --from=build --chown=65532:65532 /images/data /data
USER 65532:65532
EXPOSE 8080 8081 8082
WORKDIR /data
VOLUME /data
HEALTHCHECK --interval=5s --timeout=3s --start-period=60s --retries=3 CMD ["/usr/bin/trackops", "health"]
ENTRYPOINT ["/usr/bin/trackops"]
CMD ["--help"]
