# The image of a worker, and of the API. Installs what the lockfile names and runs no package's install script.
FROM node:20-slim AS build
WORKDIR /gatehouse
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
COPY tsconfig.json tsconfig.build.json ./
COPY scripts/build.mjs scripts/
COPY samples samples
COPY docs/errors.md docs/
COPY machines machines
COPY src src
COPY workers workers
RUN npm run build && npm prune --omit=dev --ignore-scripts --no-audit --no-fund --loglevel=error

FROM node:20-slim
ENV NODE_ENV=production
# A living worker touches this file every second; `gatehouse health` looks at it.
ENV GATEHOUSE_HEARTBEAT_FILE=/tmp/gatehouse-heartbeat
WORKDIR /gatehouse
COPY --from=build /gatehouse/package.json ./
COPY --from=build /gatehouse/node_modules node_modules
COPY --from=build /gatehouse/dist dist
COPY scripts/gatehouse.mjs scripts/
# Made here so that a volume mounted over it belongs to the user that writes there.
RUN install --directory --owner=node --group=node /data
USER node
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s --retries=3 CMD ["node", "scripts/gatehouse.mjs", "health"]
CMD ["node", "--max-semi-space-size=64", "--initial-old-space-size=256", "dist/workers/main.js"]
