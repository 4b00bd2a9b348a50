# What CPU endpoints start from unless the endpoint or FLASH_CPU_IMAGE, FLASH_CPU_LB_IMAGE says otherwise: flash-worker,
# which waits for the artifact that its endpoint was provisioned for, unpacks it to /app and becomes the app.
#
# In the root of this repository:
#   docker build -f flash-bootstrap/images/cpu.Dockerfile -t runpod/flash-rust-cpu:latest .
# With Debian packages that an app declares (`.system_packages(…)`):
#   docker build -f flash-bootstrap/images/cpu.Dockerfile --build-arg PACKAGES="ffmpeg libgl1" -t registry.example/worker:1 .
#
# glibc is 2.36 here; an artifact that needs a newer one is refused at its start, with the words to build it otherwise.
FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
RUN cargo build --release --locked --package flash-bootstrap --bin flash-worker

FROM debian:bookworm-slim
ARG PACKAGES=""
RUN apt-get update && apt-get install --yes --no-install-recommends ca-certificates ${PACKAGES} && rm -rf /var/lib/apt/lists/*
COPY --from=build /src/target/release/flash-worker /usr/local/bin/flash-worker
CMD ["/usr/local/bin/flash-worker"]
