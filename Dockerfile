# One image for every part of Avtal: `avtal web`, `avtal worker`, `avtal migrate`, `avtal doctor`.
FROM python:3.12-slim AS build
COPY --from=ghcr.io/astral-sh/uv:0.13.9 /uv /usr/local/bin/uv
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never UV_PROJECT_ENVIRONMENT=/opt/avtal
WORKDIR /src

# A layer of its own, because the libraries change less often than the code.
COPY pyproject.toml uv.lock ./
# Not installed; uv requires the file of every workspace member.
COPY packages/billogram-sandbox/pyproject.toml packages/billogram-sandbox/
RUN uv sync --frozen --no-dev --extra postgresql --extra otel --no-install-project

COPY . .
RUN uv sync --frozen --no-dev --extra postgresql --extra otel --no-editable

FROM python:3.12-slim
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin avtal
COPY --from=build /opt/avtal /opt/avtal
# Time zones come from the locked package tzdata, not from the image's system.
ENV PATH=/opt/avtal/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PYTHONTZPATH=""
WORKDIR /home
USER avtal
ENTRYPOINT ["avtal"]
CMD ["--help"]
