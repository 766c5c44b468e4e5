import type { Engine } from './engine.js';
import { ROOT } from './project.js';
import { run } from './run.js';

/** The engine of this machine, with images from a registry. */
export class DockerEngine implements Engine {
  readonly name = 'the container engine of this machine';
  readonly env = {};
  readonly overrides = [];
  readonly client = ['docker'];
  readonly runOptions = [];

  constructor(readonly compose: readonly string[]) {}

  async start(): Promise<void> {
    await run([...this.compose, '--profile', 'cluster', 'build', 'resolver'], { cwd: ROOT, timeout: 400_000 });
  }

  makeImage(name: string): Promise<string> {
    return run(['docker', 'build', '-f', 'deploy/Dockerfile', '-t', name, '.'], { cwd: ROOT, timeout: 400_000 });
  }

  async get(url: string): Promise<string> {
    return (await fetch(url)).text();
  }

  /** All of it was there before. */
  stop(): Promise<void> {
    return Promise.resolve();
  }
}
