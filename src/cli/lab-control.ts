import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Lab } from '../lab/lab.js';
import { CommandError } from '../lab/session/command.js';
import { completions } from '../lab/commands/completion.js';
import { COMMANDS } from '../lab/commands/index.js';
import { Session } from '../lab/session/session.js';
import { prepareSocket, removeSocket, restrictSocket } from './lab-sockets.js';

/** What is asked of a running lab, one JSON object a line. A line can be ended while it runs. */
type ControlRequest =
  | {
      readonly ask: 'run';
      readonly line: string;
      readonly cwd: string;
      readonly interactive?: boolean;
      readonly terminal?: boolean;
      readonly canEdit?: boolean;
    }
  | { readonly ask: 'edited'; readonly text?: string; readonly error?: string }
  | { readonly ask: 'complete'; readonly line: string }
  | { readonly ask: 'end' }
  | { readonly ask: 'status' }
  | { readonly ask: 'down' };
/** A text, a text to edit, or the end of what was asked, with the prompt for the next line. */
type ControlAnswer =
  | { readonly text: string }
  | { readonly edit: string; readonly ending: string }
  | { readonly code: number; readonly prompt?: string };

/** Lets the user edit a text; resolves with what they saved. */
export type Edit = (text: string, ending: string) => Promise<string>;

/** Lets others talk to a running lab. */
export class ControlServer {
  private readonly server: net.Server;
  private readonly sockets = new Set<net.Socket>();

  constructor(
    private readonly lab: Lab,
    private readonly file: string,
    private readonly status: () => string,
    private readonly down: () => void,
  ) {
    this.server = net.createServer((socket) => this.serve(socket));
  }

  /** Rejects when a lab listens there already. What a lab left behind that was killed is cleared away. */
  async open(): Promise<void> {
    await prepareSocket(this.file);
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(this.file, resolve);
    });
    restrictSocket(this.file);
  }

  close(): void {
    this.sockets.forEach((socket) => socket.destroy());
    this.server.close();
    removeSocket(this.file);
  }

  private serve(socket: net.Socket): void {
    this.sockets.add(socket);
    let cwd = process.cwd();
    const session = new Session(
      this.lab,
      {
        read: (file) => readFileSync(path.resolve(cwd, file), 'utf8'),
        write: (file, bytes) => writeFileSync(path.resolve(cwd, file), bytes),
        list: (folder) => readdirSync(path.resolve(cwd, folder)),
      },
      COMMANDS,
    );
    let running: AbortController | undefined;
    let edited: ((request: ControlRequest & { ask: 'edited' }) => void) | undefined;
    const say = (answer: ControlAnswer): void => {
      if (!socket.destroyed) socket.write(`${JSON.stringify(answer)}\n`);
    };
    const edit: Edit = (text, ending) =>
      new Promise((resolve, reject) => {
        edited = (request) =>
          request.text === undefined
            ? reject(new CommandError(request.error ?? 'error: nothing was saved'))
            : resolve(request.text);
        say({ edit: text, ending });
      });
    const run = async (request: ControlRequest & { ask: 'run' }): Promise<void> => {
      cwd = request.cwd;
      const { signal } = (running = new AbortController());
      try {
        const code = await session.run(request.line, {
          write: (part) => say({ text: part }),
          signal,
          interactive: request.interactive === true,
          last: request.interactive !== true,
          terminal: request.terminal === true,
          ...(request.canEdit === true && { edit }),
        });
        say({ code, prompt: session.prompt });
      } catch (error) {
        say({ text: `${(error as Error).stack ?? String(error)}\n` });
        say({ code: 1, prompt: session.prompt });
      }
    };
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.sockets.delete(socket);
      running?.abort();
      edited?.({ ask: 'edited' });
      void session.close();
    });
    createInterface({ input: socket }).on('line', (text) => {
      const request = JSON.parse(text) as ControlRequest;
      if (request.ask === 'run') void run(request);
      else if (request.ask === 'end') running?.abort();
      else if (request.ask === 'edited') edited?.(request);
      else {
        if (request.ask === 'status') say({ text: this.status() });
        if (request.ask === 'complete') say({ text: JSON.stringify(completions(session, request.line)) });
        say({ code: 0 });
        if (request.ask === 'down') this.down();
      }
    });
  }
}

/** A line to a running lab. */
export class ControlClient {
  private waiting:
    | { readonly write: (text: string) => void; readonly done: (code: number) => void; readonly edit: Edit | undefined }
    | undefined;
  /** What the lab wants a prompt to show. */
  prompt = 'lab$ ';

  private constructor(private readonly socket: net.Socket) {
    createInterface({ input: socket }).on('line', (text) => {
      const answer = JSON.parse(text) as ControlAnswer;
      if ('text' in answer) this.waiting?.write(answer.text);
      else if ('edit' in answer) void this.edit(answer.edit, answer.ending);
      else {
        this.prompt = answer.prompt ?? this.prompt;
        this.settle(answer.code);
      }
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

  /** Resolves with the exit code. Without `edit`, nobody is there who could edit a text. */
  ask(request: ControlRequest, write: (text: string) => void, edit?: Edit): Promise<number> {
    return new Promise((resolve) => {
      this.waiting = { write, done: resolve, edit };
      this.send(request.ask === 'run' ? { ...request, canEdit: edit !== undefined } : request);
    });
  }

  /** Ends the line that runs. */
  interrupt(): void {
    this.send({ ask: 'end' });
  }

  close(): void {
    this.socket.destroy();
  }

  private send(request: ControlRequest): void {
    if (this.open) this.socket.write(`${JSON.stringify(request)}\n`);
  }

  private async edit(text: string, ending: string): Promise<void> {
    try {
      this.send({ ask: 'edited', text: await this.waiting!.edit!(text, ending) });
    } catch (error) {
      this.send({ ask: 'edited', error: (error as Error).message });
    }
  }

  private settle(code: number): void {
    const { waiting } = this;
    this.waiting = undefined;
    waiting?.done(code);
  }
}
