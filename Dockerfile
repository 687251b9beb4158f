# Darkroom alone, without a compiler, a shell's tools beyond Debian's, or a right to change anything but its data.
# To pin the base image for good, put its digest behind the tag: docker buildx imagetools inspect python:3.13-slim-bookworm
FROM python:3.13-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src
RUN python -m venv /opt/darkroom
COPY requirements.lock ./
# The tests of the two largest packages are a tenth of everything.
RUN /opt/darkroom/bin/python -m pip install --quiet --require-hashes -r requirements.lock \
 && cd /opt/darkroom/lib/python3.13/site-packages \
 && find numpy matplotlib -type d -name tests -prune -exec rm -rf {} +
COPY pyproject.toml README.md LICENSE CHANGELOG.md manifest.yml ./
COPY bot bot
COPY handlers handlers
COPY darkroom darkroom
COPY storage storage
COPY sandbox sandbox
RUN /opt/darkroom/bin/python -m pip install --quiet --no-deps .

FROM python:3.13-slim-bookworm
COPY --from=build /opt/darkroom /opt/darkroom
RUN groupadd --system --gid 10001 darkroom \
 && useradd --system --uid 10001 --gid darkroom --home-dir /var/lib/darkroom --no-create-home --shell /usr/sbin/nologin darkroom \
 && install -d -o darkroom -g darkroom -m 700 /var/lib/darkroom /etc/darkroom
# What is compiled was compiled above; the only places to write to are the data and /tmp.
ENV PATH=/opt/darkroom/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    MPLCONFIGDIR=/tmp \
    DARKROOM_STORAGE__DATA_DIR=/var/lib/darkroom
USER 10001:10001
# darkroom.toml is looked for here.
WORKDIR /etc/darkroom
VOLUME ["/var/lib/darkroom"]
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s --retries=3 CMD ["darkroom", "turns", "--alive"]
ENTRYPOINT ["darkroom"]
CMD ["run"]
