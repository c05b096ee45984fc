/** A webhook receiver in a process of its own: counts, per second, what reached it. Messages say whether it is well. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

const delayMs = Number(process.argv[2] ?? 0);
let isWell = true;
const ids = new Set<string>();
let requests = 0;
let inThisSecond = 0;
let peak = 0;
setInterval(() => {
  peak = Math.max(peak, inThisSecond);
  inThisSecond = 0;
}, 1_000);

const server = createServer((request, response) => {
  requests++;
  inThisSecond++;
  request.resume();
  request.on("end", () => {
    if (isWell) ids.add(String(request.headers["webhook-id"]));
    setTimeout(() => response.writeHead(isWell ? 204 : 503).end(), delayMs);
  });
});
server.listen(0, "127.0.0.1", () => process.send?.({ port: (server.address() as AddressInfo).port }));

process.on("message", (message: { well?: boolean }) => {
  if (message.well !== undefined) {
    isWell = message.well;
    peak = 0;
    inThisSecond = 0;
    requests = 0;
  }
  process.send?.({ ids: ids.size, requests, peak: Math.max(peak, inThisSecond) });
});
process.on("disconnect", () => process.exit(0));
