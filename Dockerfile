# Names the instruments of files: docs/containers.md
FROM python:3.12-slim AS build
COPY . /source
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels /source

FROM python:3.12-slim
COPY --from=build /wheels /wheels
RUN pip install --no-cache-dir "$(echo /wheels/instrec-*.whl)[plot]" && rm -r /wheels
RUN useradd --create-home listener
USER listener
WORKDIR /sound
ENTRYPOINT ["instrec"]
CMD ["--help"]
