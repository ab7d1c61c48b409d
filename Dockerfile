# skep's image: the binary, the CA certificates, and nothing installed. `make image` builds it.
#
# It runs as nobody in particular (65532). To manage a swarm it must open the engine's socket, so it is given a user that may:
#   docker run --user 65532:$(getent group docker | cut -d: -f3) -v /var/run/docker.sock:/var/run/docker.sock …
# examples/skep-stack.yaml says how that looks in a stack.

FROM rust:1-bookworm AS build
RUN apt-get update \
 && apt-get install -y --no-install-recommends libssl-dev pkg-config \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
# OpenSSL is Debian's, linked statically, so that the image below needs no package. Its place must be said: pkg-config would find
# the shared one. The caches outlive a change of the sources.
ENV OPENSSL_STATIC=1 OPENSSL_NO_VENDOR=1 OPENSSL_INCLUDE_DIR=/usr/include
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    OPENSSL_LIB_DIR=/usr/lib/$(gcc -print-multiarch) cargo build --release --locked \
 && cp target/release/skep /usr/local/bin/skep \
 && if ldd /usr/local/bin/skep | grep -E 'libssl|libcrypto'; then exit 1; fi

FROM debian:bookworm-slim
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /usr/local/bin/skep /usr/local/bin/skep
RUN ["skep", "--version"]
USER 65532:65532
WORKDIR /
# Clones and the heartbeat go to /tmp; a tmpfs there is all it needs to write to.
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 CMD ["skep", "healthcheck"]
ENTRYPOINT ["skep"]
CMD ["run"]
