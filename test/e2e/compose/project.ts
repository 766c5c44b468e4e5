import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import type { Engine } from './engine.js';
import { run } from './run.js';

export const ROOT = path.resolve(import.meta.dirname, '../../..');

const { services } = parse(readFileSync(path.join(ROOT, 'docker-compose.yml'), 'utf8'), { merge: true }) as {
  services: Record<string, { profiles: string[]; healthcheck?: { test: string } }>;
};

/** All services but Grafana, whose image is to be had from a registry only. */
export const SERVICES = Object.keys(services).filter((service) => service !== 'grafana');

/** One profile of docker-compose.yml, running. */
export class Project {
  private readonly name = `nodens-test-${process.pid}`;

  constructor(
    private readonly engine: Engine,
    private readonly profile: string,
    private readonly env: () => Readonly<Record<string, string>>,
  ) {}

  get services(): string[] {
    return SERVICES.filter((service) => services[service]!.profiles.includes(this.profile));
  }

  /** Services that say whether they are healthy, and by what command. */
  get checked(): (readonly [service: string, check: string])[] {
    return this.services.flatMap((service) => {
      const { healthcheck } = services[service]!;
      return healthcheck ? [[service, healthcheck.test] as const] : [];
    });
  }

  async up(): Promise<void> {
    await this.compose(['up', '-d', '--no-build', ...this.services], 120_000);
  }

  /** Stops all services; the exit codes of their containers. */
  async stop(): Promise<number[]> {
    await this.compose(['stop', '--timeout', '30']);
    return [...(await this.compose(['ps', '-a'])).matchAll(/\bexit(?:ed)? \(?(\d+)/gi)].map(([, code]) => Number(code));
  }

  /**
   * Takes containers and networks away. Podman keeps a container for whose network another one asked until that one
   * is gone, which is the second time.
   */
  async down(): Promise<void> {
    await this.compose(['down', '--timeout', '20']).catch(() => this.compose(['down', '--timeout', '20']));
  }

  /** What a command in a service's container prints. */
  exec(service: string, ...command: string[]): Promise<string> {
    return this.compose(['exec', '-T', service, ...command]);
  }

  async restart(service: string, what: 'stop' | 'start'): Promise<void> {
    await this.compose([what, service]);
  }

  /** Lines that services have printed so far, by service. */
  async logs(services: readonly string[]): Promise<Map<string, string[]>> {
    const lines = new Map<string, string[]>(services.map((service) => [service, []]));
    for (const line of (await this.compose(['logs', '--no-color', ...services])).split('\n')) {
      // The service's name stands before each line, with the number of the container.
      const [, service = '', text = ''] = /^(\S+)[-_]1 +\| ?(.*?)\s*$/.exec(line) ?? [];
      lines.get(service)?.push(text);
    }
    return lines;
  }

  private compose(args: readonly string[], timeout?: number): Promise<string> {
    const { engine } = this;
    return run(
      [
        ...engine.compose,
        '-p',
        this.name,
        '-f',
        'docker-compose.yml',
        ...engine.overrides,
        '--profile',
        this.profile,
        ...args,
      ],
      {
        cwd: ROOT,
        env: { ...engine.env, ...this.env() },
        timeout,
      },
    );
  }
}
