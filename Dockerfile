# The whole local stack in one container, as `npm start` runs it. No container engine was at hand where this file was
# written, so it has not been built yet. Every listener binds to loopback: run it on the host's network (Linux).
#
#   docker build -t aivillage .
#   docker run --rm -it --init --network host -v aivillage:/data aivillage
#
# Enclave processes are cut off from the network by `unshare -n` where the container may do that; nodes log which.

FROM golang:1.26-bookworm AS temporal
RUN go install github.com/temporalio/cli/cmd/temporal@v1.5.1

FROM node:24-bookworm
COPY --from=temporal /go/bin/temporal /usr/local/bin/temporal
WORKDIR /app
RUN mkdir /data && chown node:node /app /data
USER node
COPY --chown=node:node package.json package-lock.json .npmrc ./
# PostgreSQL's programs are an optional package, so optional ones stay. Nothing needs an install script.
RUN npm ci --omit=dev --ignore-scripts
COPY --chown=node:node . .
RUN node bin/prepare.mjs
ENV AIVILLAGE_HOME=/data PORT=8000
VOLUME /data
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s CMD [ "node", "-e", "fetch('http://127.0.0.1:' + process.env.PORT + '/v1/system/health/live').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))" ]
STOPSIGNAL SIGINT
CMD [ "node", "bin/start.mjs" ]
