import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { promisify } from 'node:util';

const ROOT = path.resolve(import.meta.dirname, '../..');

/**
 * A package registry of this host that has the installed packages of this project, each in the version that is there,
 * and those of `tarballs`: npm installs from it as a user does, without any other network.
 */
export class LocalRegistry {
  private readonly server = http.createServer((request, response) => void this.serve(request, response));
  url = '';

  /** @param tarballs files of packages that npm packed, by name */
  constructor(private readonly tarballs: Readonly<Record<string, string>>) {}

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    this.url = `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.server.close();
    this.server.closeAllConnections();
  }

  private async serve(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const [, name = '', tarball] = /^\/(.*?)(\.tgz)?$/.exec(decodeURIComponent(request.url ?? ''))!;
    const manifest = this.manifest(name);
    if (manifest === undefined) return void response.writeHead(404).end('{}');
    if (tarball !== undefined) return void response.writeHead(200).end(await this.pack(name));
    const { version } = manifest;
    const dist = { tarball: `${this.url}/${name}.tgz` };
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(
      JSON.stringify({ name, 'dist-tags': { latest: version }, versions: { [version]: { ...manifest, dist } } }),
    );
  }

  private folder(name: string): string {
    return this.tarballs[name] === undefined ? path.join(ROOT, 'node_modules', name) : ROOT;
  }

  private manifest(name: string): { version: string; dist?: unknown } | undefined {
    const file = path.join(this.folder(name), 'package.json');
    return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as { version: string }) : undefined;
  }

  private async pack(name: string): Promise<Buffer> {
    const packed = this.tarballs[name];
    if (packed !== undefined) return readFileSync(packed);
    const args = ['-czhf', '-', '--exclude=./node_modules', '--transform=s,^\\./,package/,', './'];
    const { stdout } = await promisify(execFile)('tar', ['-C', this.folder(name), ...args], {
      encoding: 'buffer',
      maxBuffer: 2 ** 28,
    });
    return stdout;
  }
}
