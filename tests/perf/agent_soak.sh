#!/usr/bin/env bash
# Whether an agent grows: its memory and open files after 2,000 scrapes and 200
# programs that read its counters, against those after a tenth of that; and its
# CPU time by scrape.
#   tests/perf/agent_soak.sh [BIN-FOLDER]
# Limits: no file more, at most 1 MB more.
set -euo pipefail
cd "$(dirname "$0")/../.."
bin=$(realpath "${1:-build/release/bin}")

work=$(mktemp -d)
"$bin/modicum" agent --listen 127.0.0.1:0 --socket "$work/agent.sock" \
  --interval 0.5 2>"$work/log" &
agent=$!
trap 'kill "$agent" 2>/dev/null || true; wait "$agent" 2>/dev/null || true; rm -rf "$work"' EXIT
until grep -q 'has its counters' "$work/log"; do
  kill -0 "$agent" || { cat "$work/log" >&2; exit 1; }
  sleep 0.05
done
url=$(sed -n 's/.*serves //p' "$work/log")

node - "$url" "$work/agent.sock" "$agent" <<'JS'
const fs = require("fs"), http = require("http"), net = require("net");
const [url, path, pid] = process.argv.slice(2);

const scrape = () => new Promise((done, fail) =>
  http.get(url, { agent: false }, (reply) => {
    let bytes = 0;
    reply.on("data", (part) => (bytes += part.length))
      .on("end", () => (reply.statusCode === 200 ? done(bytes) : fail(reply.statusCode)));
  }).on("error", fail));

// A program that reads the counters so many times.
const client = (reads) => new Promise((done, fail) => {
  const socket = net.connect(path, () => socket.write("counters\n"));
  let lines = 0;
  socket.on("data", (part) => {
    if (!part.includes("\n")) return;
    if (++lines === reads) socket.end();
    else socket.write("counters\n");
  }).on("close", () => (lines === reads ? done() : fail("lost"))).on("error", fail);
});

const state = () => {
  const status = fs.readFileSync(`/proc/${pid}/status`, "utf8");
  const stat = fs.readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" ");
  return {
    rss: Number(status.match(/VmRSS:\s+(\d+)/)[1]),
    files: fs.readdirSync(`/proc/${pid}/fd`).length,
    cpu: (Number(stat[11]) + Number(stat[12])) / 100,
  };
};

const load = async (scrapes, clients) => {
  const reading = Array.from({ length: clients }, () => client(50));
  for (let i = 0; i < scrapes; i += 8)
    await Promise.all(Array.from({ length: 8 }, scrape));
  await Promise.all(reading);
  await new Promise((done) => setTimeout(done, 1500));
};

(async () => {
  await load(200, 20);
  const before = state();
  await load(2000, 200);
  const after = state();
  const files = after.files - before.files, kb = after.rss - before.rss;
  console.log(`after 2,000 scrapes and 200 clients of 50 reads: ${files} files more, ` +
    `${kb} kB more (RSS ${after.rss} kB), ` +
    `${((1000 * (after.cpu - before.cpu)) / 2000).toFixed(2)} ms of CPU time by scrape, ` +
    `reads and looks in it`);
  process.exit(files <= 0 && kb <= 1024 ? 0 : 1);
})().catch((error) => { console.error(error); process.exit(1); });
JS
