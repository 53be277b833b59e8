# An image that serves a run's folder:
#   docker build --tag rag-ft .
#   docker run --rm -p 8640:8640 -v "$PWD/result/quickstart:/data" -e RAG_FT_API_KEY rag-ft
# The folder must be writable by uid 1000: vectors of passages and users' votes are kept in it. Any other command works too: docker run --rm rag-ft --help
ARG NODE_VERSION=24

FROM node:${NODE_VERSION}-bookworm-slim AS build
# hnswlib-node is compiled.
RUN apt-get update \
  && apt-get install --yes --no-install-recommends g++ make python3 \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN npx --yes pnpm@10 install --frozen-lockfile \
  && npx --yes pnpm@10 build \
  && node scripts/pack.mjs /pack
# CUDA's libraries are of no use in this image.
ENV ONNXRUNTIME_NODE_INSTALL_CUDA=skip
WORKDIR /app
RUN npm init --yes > /dev/null \
  && npm install --omit=dev --no-audit --no-fund /pack/rag-ft-[0-9]*.tgz \
  && npm rebuild hnswlib-node \
  && npm cache clean --force

FROM node:${NODE_VERSION}-bookworm-slim
ENV NODE_ENV=production
COPY --from=build /app /app
RUN ln -s /app/node_modules/.bin/rag-ft /usr/local/bin/rag-ft \
  && mkdir /data \
  && chown node:node /data
USER node
WORKDIR /data
VOLUME /data
EXPOSE 8640
HEALTHCHECK --interval=30s --timeout=5s --start-period=120s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:8640/healthz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["rag-ft"]
CMD ["serve", "/data", "--host", "0.0.0.0"]
