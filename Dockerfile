# Jointo: one image for web, workers, beat and Flower; docker-compose.yml says which is which.

FROM node:22-bookworm-slim AS front-end
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts --no-audit --no-fund

FROM debian:bookworm-slim AS python
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates python3 python3-venv \
    && rm -rf /var/lib/apt/lists/*
COPY requirements.txt ./
RUN python3 -m venv /opt/venv && /opt/venv/bin/pip install --no-cache-dir -r requirements.txt

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates ffmpeg fontconfig fonts-dejavu-core fonts-wqy-microhei python3 tzdata \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /app --shell /usr/sbin/nologin jointo \
    && install -d -o jointo -g jointo /data
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    JOINTO_DATA_DIR=/data \
    JOINTO_ENV_FILE=
WORKDIR /app
COPY --from=python /opt/venv /opt/venv
COPY --from=front-end /app/node_modules/hls.js/dist node_modules/hls.js/dist
COPY --from=front-end /app/node_modules/uplot/dist node_modules/uplot/dist
COPY --from=front-end /app/node_modules/hash-wasm/dist node_modules/hash-wasm/dist
COPY . .
RUN pybabel compile --domain django --directory locale
USER jointo
# The key is for this command alone and is kept nowhere.
RUN JOINTO_SECRET_KEY=unused python manage.py collectstatic --no-input
VOLUME /data
EXPOSE 8000
CMD ["python", "-m", "uvicorn", "jointo.asgi:application", "--host", "0.0.0.0", "--port", "8000", "--proxy-headers", "--forwarded-allow-ips", "*", "--timeout-graceful-shutdown", "20"]
