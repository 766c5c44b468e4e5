import { chmodSync, readFileSync, rmSync, rmdirSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Lab } from '../lab/lab.js';
import { Session } from '../lab/session/session.js';
import { answers, clearDead, ownFolder } from './lab-sockets.js';

/** What is asked of a running lab, one JSON object a line. A line can be ended while it runs. */
type Request = { readonly ask: 'run'; readonly line: string; readonly cwd: string } | { readonly ask: 'end' } | { readonly ask: 'status' } | { readonly ask: 'words' } | { readonly ask: 'down' };
type Answer = { readonly text: string } | { readonly code: number };

/** Lets others talk to a running lab. */
export class ControlServer {
  private readonly server: net.Server;
  private readonly sockets = new Set<net.Socket>();

  constructor(private readonly lab: Lab, private readonly file: string, private readonly status: () => string, private readonly words: () => readonly string[], private readonly down: () => void) {
    this.server = net.createServer((socket) => this.serve(socket));
  }

  /** Rejects when a lab listens there already. What a lab left behind that was killed is cleared away. */
  async open(): Promise<void> {
    ownFolder(path.dirname(this.file));
    if (await answers(this.file)) throw new Error(`a lab is running already (${this.file}); end it with: nodens lab down`);
    await clearDead(path.dirname(this.file));
    rmSync(this.file, { force: true });
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(this.file, resolve);
    });
    chmodSync(this.file, 0o600);
  }

  close(): void {
    this.sockets.forEach((socket) => socket.destroy());
    this.server.close();
    rmSync(this.file, { force: true });
    try {
      rmdirSync(path.dirname(this.file));
    } catch {
      // The folder is not empty, or not ours: it stays.
    }
  }

  private serve(socket: net.Socket): void {
    this.sockets.add(socket);
    let cwd = process.cwd();
    const session = new Session(this.lab, { read: (file) => readFileSync(path.resolve(cwd, file), 'utf8') });
    let running: AbortController | undefined;
    const say = (answer: Answer): void => {
      if (!socket.destroyed) socket.write(`${JSON.stringify(answer)}\n`);
    };
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.sockets.delete(socket);
      running?.abort();
      void session.close();
    });
    createInterface({ input: socket }).on('line', (text) => {
      const request = JSON.parse(text) as Request;
      if (request.ask === 'end') running?.abort();
      else if (request.ask === 'status') say({ text: this.status() });
      else if (request.ask === 'words') say({ text: JSON.stringify(this.words()) });
      else if (request.ask === 'down') {
        say({ code: 0 });
        this.down();
      } else {
        cwd = request.cwd;
        running = new AbortController();
        session.run(request.line, { write: (part) => say({ text: part }), signal: running.signal }).then((code) => say({ code }), (error: unknown) => {
          say({ text: `${(error as Error).stack ?? String(error)}\n` });
          say({ code: 1 });
        });
      }
      if (request.ask === 'status' || request.ask === 'words') say({ code: 0 });
    });
  }
}

/** A line to a running lab. */
export class ControlClient {
  private waiting: { readonly write: (text: string) => void; readonly done: (code: number) => void } | undefined;

  private constructor(private readonly socket: net.Socket) {
    createInterface({ input: socket }).on('line', (text) => {
      const answer = JSON.parse(text) as Answer;
      if ('text' in answer) this.waiting?.write(answer.text);
      else this.settle(answer.code);
    });
    socket.on('error', () => undefined);
    socket.on('close', () => this.settle(1));
  }

  /** Rejects with what the system says when no lab listens there. */
  static connect(file: string): Promise<ControlClient> {
    return new Promise((resolve, reject) => {
      const socket = net.connect(file);
      socket.once('connect', () => resolve(new ControlClient(socket)));
      socket.once('error', reject);
    });
  }

  /** Whether the lab is there still. */
  get open(): boolean {
    return !this.socket.destroyed;
  }

  /** Resolves with the exit code. */
  ask(request: Request, write: (text: string) => void): Promise<number> {
    return new Promise((resolve) => {
      this.waiting = { write, done: resolve };
      this.socket.write(`${JSON.stringify(request)}\n`);
    });
  }

  /** Ends the line that runs. */
  interrupt(): void {
    this.socket.write(`${JSON.stringify({ ask: 'end' } satisfies Request)}\n`);
  }

  close(): void {
    this.socket.destroy();
  }

  private settle(code: number): void {
    const { waiting } = this;
    this.waiting = undefined;
    waiting?.done(code);
  }
}
