import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Program, PROGRAM } from '../../support/program.js';
import { Namespaces, inside, join, runIn, whyNot } from './namespaces.js';

const reason = whyNot(['ip', 'unshare', 'getent', 'musl-gcc']);
if (reason !== undefined)
  console.log(`test/e2e/node-local/autopath: ${reason} (Debian: iproute2, util-linux, libc-bin, musl-tools); skipped`);

const WALKING = '172.20.0.1';
const PLAIN = '172.20.0.2';
const POD = '172.20.0.69';

const PODS = `apiVersion: v1
kind: Pod
metadata: { name: client, namespace: default, labels: { app: client } }
spec: { nodeName: w1 }
status: { phase: Running, podIP: ${POD}, podIPs: [{ ip: ${POD} }] }
`;

const blocks = (address: string, walk: string): string => `
cluster.local:53 {
    bind ${address}
    ${walk}
    cache 30
    kubernetes {
        manifests ${path.resolve(import.meta.dirname, '../../../corefiles/cluster')}
    }
}
outside.test:53 {
    bind ${address}
    cache 30
    file DIR/db.outside
}
.:53 {
    bind ${address}
    template ANY ANY {
        rcode NXDOMAIN
        authority ". 60 IN SOA a. b. 1 2 3 4 60"
    }
}
`;
const WALK = `node {
        name w1
        manifests DIR/pods.yaml
        resolv_conf DIR/host.conf
    }
    autopath @node
    metadata
    log . "{name} {type} by {/kubernetes/client-namespace}/{/kubernetes/client-pod-name} {/kubernetes/client-label/app}"`;

const ZONE = `$ORIGIN outside.test.
$TTL 300
@ IN SOA ns hostmaster 1 2 3 4 60
@ IN NS ns
ns IN A 192.0.2.53
www IN A 192.0.2.1
www IN AAAA 2001:db8::1
four IN A 192.0.2.4
alias IN CNAME www
`;

const SOURCE = `
#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
int main(int count, char **words) {
  struct addrinfo hints, *list, *each;
  char text[64];
  memset(&hints, 0, sizeof hints);
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_CANONNAME;
  int error = getaddrinfo(words[1], 0, &hints, &list);
  if (error) return printf("%s\\n", gai_strerror(error)), 2;
  printf("%s\\n", list->ai_canonname);
  for (each = list; each; each = each->ai_next) {
    void *from = each->ai_family == AF_INET ? (void *)&((struct sockaddr_in *)each->ai_addr)->sin_addr
                                            : (void *)&((struct sockaddr_in6 *)each->ai_addr)->sin6_addr;
    printf("%s\\n", inet_ntop(each->ai_family, from, text, sizeof text));
  }
  return 0;
}
`;

/** With the queries that a pod sends for them, by its own steps and with the walk. */
const NAMES = [
  { name: 'www.outside.test', own: 10, walked: 2 },
  { name: 'four.outside.test', own: 10, walked: 2 },
  { name: 'alias.outside.test', own: 10, walked: 2 },
  { name: 'kube-dns.kube-system', own: 4, walked: 2 },
  { name: 'webpod', own: 2, walked: 2 },
  { name: 'none.outside.test', own: 10, walked: 10 },
];

describe.skipIf(reason !== undefined)('pods whose search list is walked', () => {
  let dir: string;
  let namespaces: Namespaces;
  let pod: string;
  let server: Program;
  const file = (name: string): string => path.join(dir, name);

  beforeAll(async () => {
    dir = mkdtempSync(path.join(os.tmpdir(), 'nodens-walk-'));
    const corefile = `${blocks(WALKING, WALK)}${blocks(PLAIN, '')}`.replaceAll('DIR', dir);
    const conf = (address: string): string =>
      `search default.svc.cluster.local svc.cluster.local cluster.local corp.test\nnameserver ${address}\noptions ndots:5\n`;
    const files = {
      Corefile: corefile,
      'pods.yaml': PODS,
      'host.conf': 'search corp.test\n',
      'db.outside': ZONE,
      'nsswitch.conf': 'hosts: dns\n',
      [WALKING]: conf(WALKING),
      [PLAIN]: conf(PLAIN),
      'look.c': SOURCE,
    };
    for (const [name, text] of Object.entries(files)) writeFileSync(file(name), text);
    execFileSync('musl-gcc', ['-static', '-o', file('look'), file('look.c')]);
    namespaces = new Namespaces();
    pod = namespaces.add('pod');
    const node = namespaces.add('node');
    // getent asks for AAAA records where there is an IPv6 address that is ready to be used.
    join(
      [node, 'lxc0', [`${WALKING}/24`, `${PLAIN}/24`, 'fd00:20::1/64']],
      [pod, 'eth0', [`${POD}/24`, 'fd00:20::69/64']],
    );
    server = new Program(inside(node, ...PROGRAM, '-conf', file('Corefile')));
    await server.said(/nodens-/);
    await server.said(/1 pods of node w1/);
  }, 60_000);

  afterAll(async () => {
    await (server as Program | undefined)?.stop('SIGKILL');
    namespaces.remove();
    rmSync(dir, { recursive: true, force: true });
  });

  /** UDP packets that were sent in the pod's namespace so far. */
  const sent = (): number => {
    const rows = runIn(pod, 'cat', '/proc/net/snmp').split('\n');
    const [names, values] = rows.filter((row) => row.startsWith('Udp:')).map((row) => row.split(' '));
    return Number(values![names!.indexOf('OutDatagrams')]);
  };
  /** What a program prints in the pod that has its name server there, and how many queries it took. */
  const look = (address: string, command: string): { readonly text: string; readonly queries: number } => {
    const before = sent();
    const bind = (from: string, to: string): string => `mount --bind ${file(from)} ${to}`;
    const script = `${bind(address, '/etc/resolv.conf')} && ${bind('nsswitch.conf', '/etc/nsswitch.conf')} && { ${command}; true; }`;
    const [program, ...args] = inside(pod, 'unshare', '-m', 'sh', '-c', script);
    const { stdout, stderr } = spawnSync(program!, args, { encoding: 'utf8', timeout: 20_000 });
    return { text: `${stdout}${stderr}`, queries: sent() - before };
  };

  describe.each([
    { libc: 'glibc', command: (name: string) => `getent ahosts ${name}` },
    { libc: 'musl', command: (name: string) => `${file('look')} ${name}` },
  ])('$libc', ({ command }) => {
    it.each(NAMES)('$name: $walked queries for $own', ({ name, own, walked }) => {
      const [without, walk] = [look(PLAIN, command(name)), look(WALKING, command(name))];
      expect([without.queries, walk]).toEqual([own, { text: without.text, queries: walked }]);
    });
  });

  it('finds what it should', () => {
    const lines = look(WALKING, 'getent ahosts www.outside.test').text.split('\n');
    const addresses = new Set(lines.map((line) => line.split(' ', 1)[0]).filter((address) => address !== ''));
    expect(addresses).toEqual(new Set(['192.0.2.1', '2001:db8::1']));
    expect(look(WALKING, `${file('look')} alias.outside.test`).text).toMatch(/^www\.outside\.test\n/);
  });

  it('tells in its log who asked', () =>
    expect(server.said(/webpod\.default\.svc\.cluster\.local\. A by default\/client client/)).resolves.toBeTruthy());
});
