// PORT, WORKERS, BODY_SIZE, BODY_FILE and SLOW_MS in the environment say how many answer what, and where.
"use strict";
const cluster = require("cluster");
const fs = require("fs");
const http = require("http");

const { PORT, WORKERS, BODY_SIZE, BODY_FILE, SLOW_MS } = process.env;

function runPrimary() {
  cluster.schedulingPolicy = cluster.SCHED_NONE; // workers accept by themselves: faster than being handed connections
  for (let i = 0; i < Number(WORKERS); ++i) cluster.fork();
  process.on("SIGTERM", () => {
    for (const worker of Object.values(cluster.workers)) worker.process.kill("SIGKILL");
    process.exit(0);
  });
}

function runWorker() {
  const size = Number(BODY_SIZE);
  const slow = Number(SLOW_MS || 0);
  const body = size === 14 ? Buffer.from("Hello, world!\n") : Buffer.alloc(size, "x");
  const fields = { "Content-Type": "text/plain", "Content-Length": size, Server: "node" };
  const cell = new Int32Array(new SharedArrayBuffer(4));

  function answer(response) {
    if (slow) Atomics.wait(cell, 0, 0, slow); // blocks the process, as code that computes would
    response.writeHead(200, fields);
    if (BODY_FILE) fs.createReadStream(BODY_FILE, { highWaterMark: 262144 }).pipe(response);
    else response.end(body);
  }

  const server = http.createServer((request, response) => {
    if (request.method === "GET") return answer(response);
    request.on("end", () => answer(response));
    request.resume();
  });
  server.keepAliveTimeout = 75000;
  server.listen({ port: Number(PORT), host: "127.0.0.1", backlog: 2048 });
}

if (cluster.isPrimary) runPrimary();
else runWorker();
