import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { LAB_FOLDER } from '../../topology/load.js';

interface PublishedFile {
  /** What the address ends in. */
  readonly ends: RegExp;
  readonly manifest: string;
  /** Values that the published file leaves to sed. */
  readonly left: readonly (readonly [string, string])[];
}

/** The published Corefiles write no query log; who follows a write-up adds it. */
const LOGGED = ['        log\n', ''] as const;
const DNS_SERVER = ['10.96.0.10', '__PILLAR__DNS__SERVER__'] as const;

/** Files that write-ups fetch, and what the lab has in their place. */
const FETCHED: readonly PublishedFile[] = [
  {
    ends: /\/nodelocaldns\.yaml$/,
    manifest: 'node-local-dns.yaml',
    left: [
      LOGGED,
      DNS_SERVER,
      ['169.254.20.10', '__PILLAR__LOCAL__DNS__'],
      ['cluster.local', '__PILLAR__DNS__DOMAIN__'],
    ],
  },
  {
    ends: /kubernetes-local-redirect\/node-local-dns\.yaml$/,
    manifest: 'node-local-dns-lrp.yaml',
    left: [LOGGED, DNS_SERVER],
  },
  { ends: /kubernetes-local-redirect\/node-local-dns-lrp\.yaml$/, manifest: 'lrp.yaml', left: [] },
];

/** What the lab has in place of a file of the outside world; undefined for none. */
export function fetched(url: string): { readonly name: string; readonly text: string } | undefined {
  const found = FETCHED.find(({ ends }) => ends.test(url));
  if (!found) return undefined;
  const text = readFileSync(path.join(LAB_FOLDER, 'manifests', found.manifest), 'utf8');
  return {
    name: path.posix.basename(url),
    text: found.left.reduce((before, [value, mark]) => before.replaceAll(value, mark), text),
  };
}

/** A manifest that comes with the lab, by `manifests/NAME.yaml` in any folder; undefined where there is none. */
export function ownManifest(file: string): string | undefined {
  const [, name] = /^(?:\.{1,2}\/)*(?:lab\/)?manifests\/([\w-]+\.yaml)$/.exec(file) ?? [];
  const place = path.join(LAB_FOLDER, 'manifests', name ?? '');
  return name !== undefined && existsSync(place) ? readFileSync(place, 'utf8') : undefined;
}

/** What is said of an address that the lab has nothing for. */
export const NOTHING_FETCHED =
  'the lab reaches no other machine; it has its own nodelocaldns.yaml of the Kubernetes addon, and ' +
  "node-local-dns.yaml and node-local-dns-lrp.yaml of Cilium's examples, at their usual addresses";
