# docker build -t ratelimitd .          the service: the binary, its libraries and rate_limits.json, and no shell
# docker build --target test .          runs every test; fails if one does
#
# Nothing here needs BuildKit. The builder that came before it makes the stages one by one as far as the one that is
# asked for; docker-compose.yml therefore names `runtime`, which stands above `test`.

FROM debian:trixie-slim AS build
WORKDIR /src
COPY scripts/common.bash scripts/setup scripts/
RUN scripts/setup image
COPY . .
RUN cmake --preset release && cmake --build --preset release --target ratelimitd
RUN scripts/image-root build/release/ratelimitd /image

FROM scratch AS runtime
LABEL org.opencontainers.image.title="ratelimitd" \
      org.opencontainers.image.description="HTTP rate limiting service, counting in Redis or in memory" \
      org.opencontainers.image.licenses="MIT"
COPY --from=build /image /
WORKDIR /etc/ratelimitd
COPY rate_limits.json ./
# The authorities that rediss:// leads to; the path that OpenSSL would look at itself is a link of Debian's.
ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
USER 65532:65532
# Listens on 0.0.0.0 and $PORT, which is 8000 unless the platform says otherwise. The admin listener is on 127.0.0.1 of the
# container, where the health check asks it.
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=3s --start-period=5s --retries=3 CMD ["/usr/bin/ratelimitd", "healthcheck"]
ENTRYPOINT ["/usr/bin/ratelimitd"]

FROM build AS test
RUN scripts/setup test
RUN scripts/test

# What is built when no stage is named.
FROM runtime
