// Starts a server from a set's Corefile, plays the set's steps and tells what came back.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import http from 'node:http';
import net from 'node:net';
import dgram from 'node:dgram';
import { spawn } from 'node:child_process';
import yaml from 'yaml';
import { ask, udp, tcp } from './dns.mjs';
import { KubeStub } from './kube-stub.mjs';
import { Upstream } from './upstream.mjs';

/** How long a server may take until it answers, and until it has refused its Corefile, in milliseconds. */
const START = 20_000;
const REFUSAL = 10_000;
/** Ports below the range from which systems draw those of clients: nobody else's socket lands on one by chance. */
const FIRST_PORT = 12_000;
const LAST_PORT = 32_000;

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function manifests(file) {
  return yaml
    .parseAllDocuments(fs.readFileSync(path.join(import.meta.dirname, file), 'utf8'))
    .map((document) => document.toJS())
    .filter(Boolean);
}

/** Where sets have everything; in tests over a network of their own the server's end and this one are two addresses. */
const HERE = '127.0.0.1';
const EVERYTHING_HERE = { server: HERE, client: HERE, times: 1 };

/** Whether a port is free for UDP and TCP alike. */
async function isFree(port) {
  const stream = net.createServer();
  const datagram = dgram.createSocket('udp4');
  const opens = (socket, open) =>
    new Promise((resolve) => {
      socket.once('error', () => resolve(false));
      open(() => resolve(true));
    });
  const free = await Promise.all([
    opens(stream, (done) => stream.listen(port, HERE, done)),
    opens(datagram, (done) => datagram.bind(port, HERE, done)),
  ]);
  await new Promise((resolve) => stream.close(resolve));
  datagram.close();
  return free.every(Boolean);
}

const taken = new Set();
async function freePort() {
  for (;;) {
    const port = FIRST_PORT + Math.floor(Math.random() * (LAST_PORT - FIRST_PORT));
    if (taken.has(port)) continue;
    taken.add(port);
    if (await isFree(port)) return port;
  }
}

const get = (url) =>
  new Promise((resolve) => {
    const request = http.get(url, { timeout: 3000 }, (response) => {
      let body = '';
      response.on('data', (chunk) => (body += chunk));
      response.on('end', () => resolve({ status: response.statusCode, body }));
    });
    request.on('error', (error) => resolve({ status: 0, body: String(error.code) }));
    request.on('timeout', () => request.destroy());
  });

/** A server under test with all that its set gave it: files, an API, two upstreams. */
class Run {
  out = '';
  exit = null;

  constructor(set, place) {
    this.set = set;
    this.place = place;
  }

  async start(command) {
    const { set } = this;
    this.dir = fs.mkdtempSync(path.join(os.tmpdir(), 'conform-'));
    this.kube = new KubeStub(set.manifests ? manifests(set.manifests) : []);
    this.up = new Upstream(set.rules);
    this.up2 = new Upstream(set.rules2 ?? set.rules);
    const { client } = this.place;
    const api = await this.kube.listen(0, client);
    const [up, up2] = [await this.up.listen(0, client), await this.up2.listen(0, client)];
    this.places = { API: `http://${client}:${api}`, UP: `${client}:${up}`, UP2: `${client}:${up2}`, DIR: this.dir };
    for (const name of ['PORT', 'METRICS', 'HEALTH', 'READY', 'PORT2']) this.places[name] = await freePort();
    this.write({ ...set.files, Corefile: set.corefile });
    const [program, ...args] = [...command, '-conf', path.join(this.dir, 'Corefile')];
    this.child = spawn(program, args, { env: { ...process.env, ...set.env } });
    this.child.on('exit', (code) => (this.exit = code ?? -1));
    this.child.stdout.on('data', (chunk) => (this.out += chunk));
    this.child.stderr.on('data', (chunk) => (this.out += chunk));
  }

  fill(text) {
    const { server } = this.place;
    const there = text.replaceAll(HERE, server).replaceAll('127.0.0.0/8', `${server}/24`);
    return there.replace(/\{(PORT2|PORT|METRICS|HEALTH|READY|API|UP2|UP|DIR)\}/g, (_, place) => this.places[place]);
  }

  write(files) {
    for (const [name, text] of Object.entries(files)) fs.writeFileSync(path.join(this.dir, name), this.fill(text));
  }

  /** As if both ends were where sets have them. */
  asRecorded(text) {
    return text.replaceAll(this.place.server, HERE).replaceAll(this.place.client, HERE);
  }

  async refusal() {
    for (const end = Date.now() + REFUSAL; this.exit === null && Date.now() < end;) await sleep(50);
    return { exited: this.exit !== null && this.exit !== 0 };
  }

  /** Waits until it answers: the set's own question with NOERROR, if it has one. False when it ended or never did. */
  async answers() {
    const { PORT } = this.places;
    const { server } = this.place;
    for (const end = Date.now() + START; this.exit === null && Date.now() < end; await sleep(50)) {
      try {
        await ask(server, PORT, { name: 'up.probe.invalid.', type: 'A', timeout: 3000 });
        const { waitFor } = this.set;
        if (!waitFor || (await ask(server, PORT, { ...waitFor, timeout: 3000 })).rcode === 'NOERROR') return true;
      } catch {
        // Not yet.
      }
    }
    return false;
  }

  /** What a step changes, if it is one that measures nothing. */
  async change(step) {
    if (step.sleep) await sleep(step.sleep);
    else if (step.upstream) Object.assign(this.up, step.upstream);
    else if (step.upstream2) Object.assign(this.up2, step.upstream2);
    else if (step.reset) this.reset();
    else if (step.kube) {
      step.kube(this.kube);
      await sleep(step.wait ?? 400);
    } else if (step.write) this.write(step.write);
    else this.child.kill(step.signal);
  }

  reset() {
    this.up.reset();
    this.up2.reset();
  }

  measure(step) {
    if (step.counts) return this.counts(step);
    if (step.http) return this.page(step);
    if (step.log) return this.logged(step);
    return this.asked(step)
      .then((reply) => JSON.parse(this.asRecorded(JSON.stringify(reply))))
      .catch((error) => ({ error: error.message }));
  }

  counts({ counts }) {
    const { up, up2 } = this;
    const conns = counts === 'conns' ? { conns: up.conns } : {};
    return { counts: { udp: up.udp, tcp: up.tcp, udp2: up2.udp, tcp2: up2.tcp, ...conns } };
  }

  async page({ http: url, body, match }) {
    const got = await get(this.fill(url));
    const { PORT, UP, UP2 } = this.places;
    const named = (line) =>
      line.replaceAll(String(PORT), 'PORT').replaceAll(UP.split(':')[1], 'UP').replaceAll(UP2.split(':')[1], 'UP2');
    const lines =
      match &&
      this.asRecorded(got.body)
        .split('\n')
        .filter((line) => new RegExp(match).test(line));
    return {
      http: got.status,
      ...(body ? { body: got.body.trim() } : {}),
      ...(lines ? { lines: lines.map(named).sort() } : {}),
    };
  }

  async logged({ log }) {
    await sleep(150);
    const lines = this.asRecorded(this.out)
      .split('\n')
      .filter((line) => new RegExp(log).test(line));
    return {
      log: lines.map((line) =>
        line
          .replace(/127\.0\.0\.1:\d+/g, 'CLIENT')
          .replace(/ - \d+ /, ' - ID ')
          .replace(/[\d.]+s$/, 'DURs')
          .replaceAll(String(this.places.PORT), 'PORT'),
      ),
    };
  }

  async asked(step) {
    if (step.raw) {
      const exchange = step.proto === 'tcp' ? tcp : udp;
      const reply = await exchange(this.place.server, this.places.PORT, Buffer.from(step.raw, 'hex'), 700);
      return { hex: reply.toString('hex') };
    }
    const again = isAskedOnly(this.set) && step.proto !== 'tcp' ? this.place.times : 1;
    for (let i = 1; i < again; i++) await ask(this.place.server, this.places[step.port ?? 'PORT'], step);
    const { id: _id, opcode: _opcode, ...reply } = await ask(this.place.server, this.places[step.port ?? 'PORT'], step);
    return reply;
  }

  async end() {
    if (this.exit === null) {
      this.child.kill('SIGTERM');
      for (let i = 0; i < 80 && this.exit === null; i++) await sleep(50);
      if (this.exit === null) this.child.kill('SIGKILL');
    }
    this.kube.close();
    this.up.close();
    this.up2.close();
    fs.rmSync(this.dir, { recursive: true, force: true });
  }
}

const isChange = (step) =>
  ['sleep', 'upstream', 'upstream2', 'reset', 'kube', 'write', 'signal'].some((word) => step[word] !== undefined);

/** Whether a set's questions have the same answer however often they are asked, and nobody counts them. */
const isAskedOnly = ({ steps, corefile, files }) =>
  steps.every((step) => step.name !== undefined) && !/\b(cache|erratic)\b/.test(JSON.stringify([corefile, files]));

/** What a set measures, in order: its steps that do not merely change something, and whether it was refused. */
export const measured = (set) =>
  (set.expectFail ? [{ name: 'refused' }] : []).concat((set.steps ?? []).filter((step) => !isChange(step)));

/**
 * Starts a server with a set's Corefile and plays the set.
 * `command`: the server's program and arguments; `-conf FILE` is added. `results`: one for each of `measured(set)`,
 * none when the server did not come to answer. `out`: all that the server printed.
 * `place`: addresses of the server and of this end, and how often each question is asked over UDP where that changes
 * nothing: the last answer is the one that is told.
 */
export async function runSet(set, command, place = EVERYTHING_HERE) {
  const run = new Run(set, place);
  const results = [];
  try {
    await run.start(command);
    if (set.expectFail) results.push(await run.refusal());
    else if (await run.answers()) {
      run.reset();
      for (const step of set.steps) {
        if (isChange(step)) await run.change(step);
        else results.push(await run.measure(step));
      }
    }
  } finally {
    await run.end();
  }
  return { results, out: run.out };
}
